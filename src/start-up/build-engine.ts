// Builds the engine: with the sender and the secrets of its deliveries, and the thread of its large runs.

import { join, resolve } from 'node:path';
import type { Config, Environment } from '../config/config.ts';
import { parseDeliveryId } from '../core/delivery/delivery-id.ts';
import { createAddressPolicy } from '../delivery/address-policy.ts';
import { createSecretVault, redactResult, type SecretVault } from '../delivery/secret-vault.ts';
import type { Send } from '../delivery/sender.ts';
import { Engine } from '../engine/engine.ts';
import { createGraphPrograms } from '../engine/execution/graph-programs.ts';
import { createLargeRuns } from '../engine/large/large-runs.ts';
import type { RunThreadOptions } from '../engine/large/run-thread-client.ts';
import type { RunFeed } from '../engine/run-feed.ts';
import type { ServerTime } from '../engine/server-time.ts';
import type { BlobStore } from '../files/blobs.ts';
import { writeStepFile } from '../files/step-files.ts';
import { createRunIds } from '../ids.ts';
import { createLoadImages, createReadFile } from '../local-effects.ts';
import type { Logger } from '../logger.ts';
import { type MemoryBudget, measureMemory } from '../memory-budget.ts';
import type { RunThreadData } from '../run-thread.ts';
import type { StepTypes } from '../steps/registry.ts';
import type { Storage } from '../storage/storage.ts';
import type { Cleanups } from './cleanups.ts';
import type { LoadedModules } from './open-storage.ts';

export interface DeliveryOptions {
  config: Pick<Config, 'secretsAllow' | 'outboundAllow'>;
  environment: Environment;
  secretKey: string;
  blobs: BlobStore;
  version: string;
  /** Replaces the network. */
  send: Send | undefined;
}

export interface Delivery {
  secrets: SecretVault;
  send: Send;
}

export function createDelivery(
  createSender: LoadedModules['createSender'],
  { config, environment, secretKey, blobs, version, send }: DeliveryOptions,
  cleanups: Cleanups,
): Delivery {
  const secrets = createSecretVault({ environment, allowed: config.secretsAllow, key: secretKey });
  const policy = createAddressPolicy(config.outboundAllow);
  const sender = createSender({ policy, openBlob: blobs.read, userAgent: `sluice/${version}` });
  cleanups.add(() => sender.close());
  return { secrets, send: withSecrets(send ?? sender.send, secrets) };
}

/** Inserts secrets just before a message is sent, and hides them in its result. */
function withSecrets(send: Send, vault: SecretVault): Send {
  return async (message, options) => {
    const runId = parseDeliveryId(options.deliveryId)?.runId ?? '';
    const { message: revealed, hide } = vault.reveal(runId, message);
    return redactResult(await send(revealed, options), hide);
  };
}

export interface EngineParts {
  config: Pick<Config, 'filesDir' | 'secretsAllow'>;
  environment: Environment;
  secretKey: string;
  dataDir: string;
  storage: Storage;
  stepTypes: StepTypes;
  feed: RunFeed;
  time: ServerTime;
  blobs: BlobStore;
  memory: MemoryBudget;
  delivery: Delivery;
  logger: Logger;
}

export function buildEngine(parts: EngineParts): Engine {
  const { config, environment, secretKey, dataDir, storage, stepTypes, feed, time, blobs, memory, delivery, logger } = parts;
  const { clock, toWall } = time;
  const filesDir = resolve(config.filesDir ?? join(dataDir, 'files'));
  return new Engine({
    storage,
    createPrograms: (tools) => createGraphPrograms({ ...tools, stepTypes }, storage),
    feed,
    clock,
    toWall,
    newRunId: createRunIds(clock),
    logger,
    send: delivery.send,
    localEffects: {
      loadImages: createLoadImages(blobs, memory.images),
      writeFile: (write) => writeStepFile(filesDir, write),
      readFile: createReadFile(blobs),
    },
    memory: memory.runs,
    messageMemory: memory.deliveries,
    largeRuns: createLargeRuns(runThread(environment, config.secretsAllow, secretKey), toWall),
    secrets: delivery.secrets,
  });
}

/** Of the thread's heap, for one decoded body; the steps of its run need the rest. */
const DECODED_SHARE = 0.75;
const MAX_THREAD_BYTES = 2 ** 31;

/** The thread gets only the names of secrets: their values are inserted when a message is sent. */
function runThread(environment: Environment, allowed: readonly string[], key: string): RunThreadOptions {
  const maxHeapBytes = Math.min(measureMemory(), MAX_THREAD_BYTES);
  const names = Object.fromEntries(Object.keys(environment).map((name) => [name, '']));
  const data: RunThreadData = { secrets: { environment: names, allowed, key }, maxDecodedBytes: DECODED_SHARE * maxHeapBytes };
  return { module: new URL('../run-thread.ts', import.meta.url), data, maxHeapBytes };
}
