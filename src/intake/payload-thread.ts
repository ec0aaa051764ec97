// Reads large documents in a thread of its own, one after the other, so that they do not block other requests.

import { readFile } from 'node:fs/promises';
import { type MessagePort, parentPort } from 'node:worker_threads';
import { stringifyJson } from '../core/json/json.ts';
import type { FileHandle } from '../core/run/request.ts';
import type { PayloadSource } from '../core/sink/sink.ts';
import { isPayloadFault, type PayloadFault, type Received } from '../payloads/format.ts';
import { findPayloadFormat } from '../payloads/index.ts';
import { MAX_TYPED_LENGTH } from '../payloads/limits.ts';
import type { Payload } from '../payloads/payload.ts';
import { lowerThreadPriority } from '../threads/background-thread.ts';

export interface ReadRequest {
  source: PayloadSource;
  received: Received;
  document: FileHandle;
  path: string;
}

/** `payload` is JSON text, which is cheaper to pass to another thread than objects. `error` is a disk error or a bug. */
export type ReadReply = { payload: string } | { fault: PayloadFault } | { error: Error };

async function read({ source, received, document, path }: ReadRequest): Promise<ReadReply> {
  try {
    const payload = findPayloadFormat(source).read(received, { file: document, bytes: await readFile(path) });
    return isPayloadFault(payload) ? { fault: payload } : write(payload, document);
  } catch (error) {
    return { error: error as Error };
  }
}

function write(payload: Payload, { name: part }: FileHandle): ReadReply {
  const text = stringifyJson(payload);
  if (text.length <= MAX_TYPED_LENGTH) return { payload: text };
  return { fault: { part, message: `says so much that its typed form is larger than ${MAX_TYPED_LENGTH} characters` } };
}

function serve(port: MessagePort): void {
  lowerThreadPriority();
  port.on('message', (request: ReadRequest) => void read(request).then((reply) => port.postMessage(reply)));
}

if (parentPort !== null) serve(parentPort);
