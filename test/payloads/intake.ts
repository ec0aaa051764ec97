// Splits a request as the intake does: files become handles, fields their text, and a JSON body the file `body`.

import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { guessFileType } from '../../src/core/form/file-type.ts';
import type { FileHandle } from '../../src/core/run/request.ts';
import type { PayloadSource } from '../../src/core/sink/sink.ts';
import { isPayloadFault, type PayloadFault, type Received } from '../../src/payloads/format.ts';
import { checkImage } from '../../src/payloads/images/check-image.ts';
import { payloadFormats } from '../../src/payloads/index.ts';
import { type Payload, withImageSize } from '../../src/payloads/payload.ts';
import type { SamplePart, SampleRequest } from '../../src/payloads/samples/sample.ts';

export interface Taken {
  received: Received;
  bytes: Map<FileHandle, Uint8Array>;
}

export function takeApart(request: SampleRequest): Taken {
  if (request.contentType === 'multipart/form-data') return takeParts(request.parts);
  const text = Buffer.from(request.body).toString();
  if (request.contentType === 'application/json') return takeBody(request.body);
  return {
    received: { content_type: request.contentType, files: [], fields: Object.fromEntries(new URLSearchParams(text)) },
    bytes: new Map(),
  };
}

export function takeBody(body: Uint8Array | string, contentType = 'application/json'): Taken {
  const bytes = Buffer.from(body);
  const file = handleOf({ name: 'body', filename: null, contentType, bytes });
  return { received: { content_type: contentType, files: [file], fields: {} }, bytes: new Map([[file, bytes]]) };
}

export function takeParts(parts: readonly SamplePart[]): Taken {
  const files = parts.filter(({ filename }) => filename !== null).map((part) => ({ file: handleOf(part), bytes: part.bytes }));
  const fields = parts.filter(({ filename }) => filename === null).map(({ name, bytes }) => [name, Buffer.from(bytes).toString()]);
  return {
    received: { content_type: 'multipart/form-data', files: files.map(({ file }) => file), fields: Object.fromEntries(fields) },
    bytes: new Map(files.map(({ file, bytes }) => [file, bytes])),
  };
}

/** Without a content type, the file name and the bytes decide. */
function handleOf({ name, filename, contentType, bytes }: SamplePart): FileHandle {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { name, filename, content_type: contentType ?? guessFileType(filename ?? '', bytes), size: bytes.length, sha256 };
}

/** Reads the document, builds the typed form and checks each image, as the intake does. */
export function readPayload(source: PayloadSource, { received, bytes }: Taken): Payload | PayloadFault {
  const format = payloadFormats.find((candidate) => candidate.source === source);
  if (format === undefined) throw new Error(`no format of ${source}`);
  const located = format.locate(received);
  if (isPayloadFault(located)) return located;
  const file = located.document;
  let payload = format.read(received, file === null ? null : { file, bytes: bytes.get(file) as Uint8Array });
  if (isPayloadFault(payload)) return payload;
  for (const image of format.images(payload)) {
    const size = checkImage(image, bytes.get(image) as Uint8Array);
    if (isPayloadFault(size)) return size;
    if (image === payload.image) payload = withImageSize(payload, size);
  }
  return payload;
}

export function payloadOf(source: PayloadSource, taken: Taken): Payload {
  const result = readPayload(source, taken);
  if (isPayloadFault(result)) return expect.fail(`${result.part}: ${result.message}`);
  return result;
}

/** The part and the message of the fault, as one text. */
export function faultOf(source: PayloadSource, taken: Taken): string {
  const result = readPayload(source, taken);
  return isPayloadFault(result) ? `${result.part} ${result.message}` : expect.fail(`nothing was wrong with ${result.kind}`);
}
