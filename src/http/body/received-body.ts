// Receives the body of a request within the sink's limits: keeps its bytes unchanged and decodes its value.

import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { readFormType } from '../../core/form/form-type.ts';
import { stringifyJson } from '../../core/json/json.ts';
import type { FileHandle, RequestBody } from '../../core/run/request.ts';
import { LARGE_RUN_BYTES } from '../../core/run/run-weight.ts';
import { AppError } from '../../errors.ts';
import { listen, readBytes, refuseAnnouncedSize, refuseWhenGone, streamBytes } from './body-bytes.ts';
import type { BodyFormat } from './body-format.ts';
import { openBody } from './content-coding.ts';
import { decodeBytes, decodeIfJson, jsonOfField, mayBeginJson, nestFields, type TextFormat } from './decode-body.ts';
import { type BodyIntake, readMultipart } from './form/multipart-body.ts';
import type { MediaType } from './media-type.ts';

export interface ReceivedBody {
  body: RequestBody;
  /** The value of `$request.body`. */
  value: unknown;
  files: FileHandle[];
  /** Set for a large body, whose value is not decoded yet: how to decode its bytes. */
  reading?: TextFormat | 'stored';
}

const NO_BYTES = new Uint8Array(0);
export const NO_BODY: Readonly<ReceivedBody> = { body: { kind: 'empty', bytes: NO_BYTES, charset: 'utf-8' }, value: null, files: [] };

/** The value and the bytes by which a sender may be proven: no value of a body that is not decoded yet, and no bytes of a file. */
export function provenBody({ body: { kind, bytes }, value, reading }: ReceivedBody): [value: unknown, bytes: Uint8Array | undefined] {
  return [reading === undefined ? value : undefined, kind === 'file' ? undefined : bytes];
}

/** Rejects with `invalid`, `too_large` or `unsupported_media`. */
export function receiveBody(
  request: FastifyRequest,
  media: MediaType | null,
  intake: BodyIntake,
  format: BodyFormat,
): Promise<ReceivedBody> {
  const { raw } = request;
  const { limits, bodyMemory, seen } = intake;
  const { bodyBytes: limit } = limits;
  refuseWhenGone(raw);
  if (format.kind === 'multipart' || format.kind === 'nested-multipart') {
    listen(raw, seen);
    return receiveForm(raw, intake, format);
  }
  refuseAnnouncedSize(raw, limit);
  const body = openBody(raw, limit);
  // The usual body needs no second listener.
  const isSeenByReader = body === raw && format.kind !== 'file' && format.kind !== 'unknown';
  if (!isSeenByReader) listen(raw, seen);
  if (format.kind === 'file') return storeFile(streamBytes(body, limit), media, intake);
  if (format.kind === 'unknown') return receiveUnknown(streamBytes(body, limit), media, intake);
  return readBytes(body, { limit, bodyMemory, seen: isSeenByReader ? seen : null }, (bytes) => read(bytes, format));
}

async function receiveForm(raw: IncomingMessage, intake: BodyIntake, { kind, field }: BodyFormat): Promise<ReceivedBody> {
  const { formBytes } = intake.limits;
  refuseAnnouncedSize(raw, formBytes);
  const type = readFormType(raw.headers['content-type'] as string);
  const wanting = field === null ? intake : { ...intake, needsFields: true };
  const { fields, bytes, files } = await readMultipart(streamBytes(openBody(raw, formBytes), formBytes), type, wanting);
  const received: ReceivedBody = { body: { kind: 'multipart', bytes, charset: 'utf-8' }, value: fields, files };
  if (kind === 'nested-multipart') return withNestedFields(received, fields);
  if (fields === null) return { ...received, reading: 'stored' };
  return field === null
    ? received
    : { ...received, body: { ...received.body, kind: `multipart:${field}` }, value: jsonOfField(fields, field) };
}

/** `fields` is null for large ones. */
function withNestedFields(received: ReceivedBody, fields: Readonly<Record<string, unknown>> | null): ReceivedBody {
  if (fields === null)
    throw new AppError(
      'too_large',
      `the fields of the form are larger than the ${LARGE_RUN_BYTES} bytes that are nested; send large content as a file`,
    );
  const value = nestFields(fields);
  return { ...received, body: { ...received.body, bytes: Buffer.from(stringifyJson(value)) }, value };
}

/** Buffers the body only while it may be JSON small enough to decode here; a larger body without a type is a file. */
async function receiveUnknown(body: AsyncGenerator<Uint8Array>, media: MediaType | null, intake: BodyIntake): Promise<ReceivedBody> {
  const buffered: Uint8Array[] = [];
  let size = 0;
  for (let next = await body.next(); next.done !== true; next = await body.next()) {
    intake.bodyMemory.reserve(next.value.byteLength);
    buffered.push(next.value);
    size += next.value.byteLength;
    if (size > LARGE_RUN_BYTES || !mayBeginJson(buffered[0]?.[0])) return storeFile(chain(buffered, body), media, intake);
  }
  if (size === 0) return NO_BODY;
  intake.bodyMemory.reserveDecoded();
  const found = decodeIfJson(Buffer.concat(buffered));
  return found === null ? storeFile(chain(buffered, body), media, intake) : { ...found, files: [] };
}

async function* chain(first: readonly Uint8Array[], rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* first;
  yield* rest;
}

async function storeFile(content: AsyncIterable<Uint8Array>, media: MediaType | null, { write }: BodyIntake): Promise<ReceivedBody> {
  const { sha256, size } = await write(content);
  if (size === 0) return NO_BODY;
  const file: FileHandle = { name: 'body', filename: null, content_type: media?.type ?? 'application/octet-stream', size, sha256 };
  return { body: { kind: 'file', bytes: NO_BYTES, charset: 'utf-8' }, value: file, files: [file] };
}

/** A large body is decoded later, in another thread. */
function read(bytes: Uint8Array, format: TextFormat): ReceivedBody {
  if (bytes.byteLength === 0) return NO_BODY;
  if (bytes.byteLength > LARGE_RUN_BYTES)
    return { body: { kind: format.kind, bytes, charset: 'utf-8' }, value: null, files: [], reading: format };
  const { body, value } = decodeBytes(bytes, format);
  return { body, value, files: [] };
}
