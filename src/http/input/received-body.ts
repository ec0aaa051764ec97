// The body of a request as it comes in: read within the sink's limits, its bytes kept as they came, its value decoded.

import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { readFormType } from '../../core/form/form-type.ts';
import type { BodyKind, FileHandle, RequestBody } from '../../core/request.ts';
import { LARGE_RUN_BYTES } from '../../core/run-weight.ts';
import { readBytes, refuseAnnouncedSize, refuseWhenGone, streamBytes } from './body-bytes.ts';
import { openBody } from './content-coding.ts';
import { type BodyReading, decodeBytes } from './decode-body.ts';
import { bodyKindOf, type MediaType } from './media-type.ts';
import { type BodyIntake, readMultipart } from './multipart-body.ts';

export interface ReceivedBody {
  body: RequestBody;
  /** What selectors reach as `$request.body`. */
  value: unknown;
  files: FileHandle[];
  /** Given for a large body whose bytes are still to be read in this way; it has no value yet. */
  reading?: BodyReading;
}

const NO_BYTES = new Uint8Array(0);
export const NO_BODY: Readonly<ReceivedBody> = { body: { kind: 'empty', bytes: NO_BYTES, charset: 'utf-8' }, value: null, files: [] };

/** `kind` is what the content type says, unless another is wanted. Rejects with `invalid`, `too_large` or `unsupported_media`. */
export function receiveBody(
  request: FastifyRequest,
  media: MediaType | null,
  intake: BodyIntake,
  kind: Exclude<BodyKind, 'empty'> = media === null ? 'file' : bodyKindOf(media),
): Promise<ReceivedBody> {
  const { raw } = request;
  const { limits } = intake;
  refuseWhenGone(raw);
  if (kind === 'multipart') return receiveForm(raw, intake);
  refuseAnnouncedSize(raw, limits.bodyBytes);
  const opened = openBody(raw, limits.bodyBytes);
  if (kind === 'file') return receiveFile(opened, media, intake);
  const reading = { kind, charset: media?.charset ?? null, fields: limits.fields };
  return readBytes(opened, limits.bodyBytes, (bytes) => read(bytes, reading));
}

async function receiveForm(raw: IncomingMessage, intake: BodyIntake): Promise<ReceivedBody> {
  const { formBytes } = intake.limits;
  refuseAnnouncedSize(raw, formBytes);
  const type = readFormType(raw.headers['content-type'] as string);
  const { fields, bytes, files } = await readMultipart(streamBytes(openBody(raw, formBytes), formBytes), type, intake);
  return { body: { kind: 'multipart', bytes, charset: 'utf-8' }, value: fields, files };
}

async function receiveFile(body: Readable, media: MediaType | null, { limits, write }: BodyIntake): Promise<ReceivedBody> {
  const { sha256, size } = await write(streamBytes(body, limits.bodyBytes));
  if (size === 0) return NO_BODY;
  const file: FileHandle = { name: 'body', filename: null, content_type: media?.type ?? 'application/octet-stream', size, sha256 };
  return { body: { kind: 'file', bytes: NO_BYTES, charset: 'utf-8' }, value: file, files: [file] };
}

/** What is large is decoded where it holds up nobody else. */
function read(bytes: Uint8Array, reading: BodyReading): ReceivedBody {
  if (bytes.byteLength === 0) return NO_BODY;
  if (bytes.byteLength <= LARGE_RUN_BYTES) return { ...decodeBytes(bytes, reading), files: [] };
  return { body: { kind: reading.kind, bytes, charset: 'utf-8' }, value: null, files: [], reading };
}
