// The entry of the thread of large runs: decodes their bodies and plans their steps, with the names of secrets alone.

import { parentPort, workerData } from 'node:worker_threads';
import { createSecretVault, type SecretVaultOptions } from './delivery/secret-vault.ts';
import type { Ask } from './engine/large/messages.ts';
import { RunHost } from './engine/large/run-host.ts';
import { decodeBytes, type TextFormat } from './http/body/decode-body.ts';
import { builtinStepTypes } from './steps/builtin.ts';
import { createStepTypes } from './steps/registry.ts';
import { lowerThreadPriority } from './threads/background-thread.ts';

export interface RunThreadData {
  secrets: Omit<SecretVaultOptions, 'replyUrl'>;
  /** Reply URLs can be made. This thread never sees one. */
  hasReplyUrls: boolean;
  maxDecodedBytes: number;
}

lowerThreadPriority();
const { secrets, hasReplyUrls, maxDecodedBytes } = workerData as RunThreadData;

const host = new RunHost({
  tools: createSecretVault({ ...secrets, replyUrl: hasReplyUrls ? () => '' : null }),
  stepTypes: createStepTypes(builtinStepTypes),
  readReceived: (bytes, reading) => decodeBytes(bytes, reading as TextFormat),
  maxDecodedBytes,
});

parentPort?.on('message', (ask: Ask) => {
  void host.answer(ask).then((reply) => {
    if (reply !== null) parentPort?.postMessage(reply);
  });
});
