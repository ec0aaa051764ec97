// Validates a platform's payload before anything of it is stored: its document, and that its images are complete.

import { readFile } from 'node:fs/promises';
import { withPlainNumbers } from '../core/json/json.ts';
import type { FileHandle } from '../core/run/request.ts';
import type { PayloadSource } from '../core/sink/sink.ts';
import { createSerialQueue } from '../core/values/serial-queue.ts';
import { AppError } from '../errors.ts';
import { isPayloadFault, type PayloadFault, type PayloadFormat, type Received } from '../payloads/format.ts';
import { checkImage } from '../payloads/images/check-image.ts';
import type { ImageSize } from '../payloads/images/inspection.ts';
import { findPayloadFormat } from '../payloads/index.ts';
import { type Payload, withImageSize } from '../payloads/payload.ts';
import { createLargeDocumentReader } from './large-document-reader.ts';

export interface PayloadReader {
  /** `pathOf` returns the path of a received file. Rejects with `unprocessable` and the faulty part. */
  read(source: PayloadSource, received: Received, pathOf: (sha256: string) => string): Promise<Payload>;
  close(): Promise<void>;
}

/**
 * Larger documents are read in a thread: they would block all other requests for more than a few milliseconds. Larger
 * images are checked one at a time, to have only one in memory.
 */
export const LARGE_BYTES = 2 ** 18;

export function createPayloadReader(): PayloadReader {
  const largeDocuments = createLargeDocumentReader();
  const serially = createSerialQueue();

  async function inspectImage(file: FileHandle, path: string): Promise<ImageSize> {
    const inspect = async () => orRefuse(checkImage(file, await readFile(path)));
    return await (file.size > LARGE_BYTES ? serially(inspect) : inspect());
  }

  async function readDocument(
    format: PayloadFormat,
    received: Received,
    document: FileHandle | null,
    pathOf: (sha256: string) => string,
  ): Promise<Payload | PayloadFault> {
    if (document === null) return format.read(received, null);
    const path = pathOf(document.sha256);
    if (document.size <= LARGE_BYTES) return format.read(received, { file: document, bytes: await readFile(path) });
    // Exact numbers cannot be passed to a thread, and every format only needs plain numbers in fields.
    const fields = withPlainNumbers(received.fields) as Record<string, unknown>;
    return await largeDocuments.read({ source: format.source, received: { ...received, fields }, document, path });
  }

  return {
    async read(source, received, pathOf) {
      const format = findPayloadFormat(source);
      const { document } = orRefuse(format.locate(received));
      let payload = orRefuse(await readDocument(format, received, document, pathOf));
      for (const file of format.images(payload)) {
        const size = await inspectImage(file, pathOf(file.sha256));
        if (file === payload.image) payload = withImageSize(payload, size);
      }
      return payload;
    },
    close: () => largeDocuments.close(),
  };
}

function orRefuse<Result extends object>(result: Result | PayloadFault): Result {
  if (!isPayloadFault(result)) return result;
  const { part, message } = result;
  throw new AppError('unprocessable', `${part}: ${message}`, { details: { part } });
}
