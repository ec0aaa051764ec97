// Reads documents that would hold up everything else for too long, one after the other, in a thread of its own.

import { readFile } from 'node:fs/promises';
import { type MessagePort, parentPort } from 'node:worker_threads';
import type { FileHandle } from '../../core/request.ts';
import type { PayloadSource } from '../../core/sink.ts';
import type { PayloadFault, Received } from '../../payloads/format.ts';
import { findPayloadFormat } from '../../payloads/index.ts';
import type { Payload } from '../../payloads/payload.ts';

export interface ReadRequest {
  source: PayloadSource;
  received: Received;
  document: FileHandle;
  path: string;
}

/** The error is one of the disk, or a bug. */
export type ReadReply = { result: Payload | PayloadFault } | { error: Error };

async function read({ source, received, document, path }: ReadRequest): Promise<ReadReply> {
  try {
    return { result: findPayloadFormat(source).read(received, { file: document, bytes: await readFile(path) }) };
  } catch (error) {
    return { error: error as Error };
  }
}

function serve(port: MessagePort): void {
  port.on('message', (request: ReadRequest) => void read(request).then((reply) => port.postMessage(reply)));
}

if (parentPort !== null) serve(parentPort);
