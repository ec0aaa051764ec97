// The body of a request as it comes in: read within the sink's limits, its bytes kept as they came, its value decoded.

import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { type BodyKind, decodeText, type FileHandle, groupPairs, type RequestBody } from '../../core/request.ts';
import type { SinkLimits } from '../../core/sink.ts';
import { AppError } from '../../errors.ts';
import { readBytes, refuseAnnouncedSize, refuseWhenGone, streamBytes } from './body-bytes.ts';
import { parseJsonBody } from './json-body.ts';
import { bodyKindOf, type MediaType } from './media-type.ts';
import { type BodyIntake, readMultipart } from './multipart-body.ts';

export interface ReceivedBody {
  body: RequestBody;
  /** What selectors reach as `$request.body`. */
  value: unknown;
  files: FileHandle[];
}

const NO_BYTES = new Uint8Array(0);
export const NO_BODY: Readonly<ReceivedBody> = { body: { kind: 'empty', bytes: NO_BYTES, charset: 'utf-8' }, value: null, files: [] };

/** `kind` is what the content type says, unless another is wanted. Rejects with `invalid`, `too_large` or `unsupported_media`. */
export function receiveBody(
  request: FastifyRequest,
  media: MediaType | null,
  intake: BodyIntake,
  kind: BodyKind = media === null ? 'file' : bodyKindOf(media),
): Promise<ReceivedBody> {
  const { raw } = request;
  const { limits } = intake;
  refuseWhenGone(raw);
  const encoding = raw.headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new AppError('unsupported_media', `Content-Encoding "${encoding}" is not supported; send the body uncompressed`);
  }
  if (kind === 'multipart') return receiveForm(request, intake);
  refuseAnnouncedSize(raw, limits.bodyBytes);
  if (kind === 'file') return receiveFile(raw, media, intake);
  const charset = media?.charset ?? 'utf-8';
  return readBytes(raw, limits.bodyBytes, (bytes) => (bytes.byteLength === 0 ? NO_BODY : decode({ kind, bytes, charset }, limits)));
}

async function receiveForm(request: FastifyRequest, intake: BodyIntake): Promise<ReceivedBody> {
  const { fields, bytes, files } = await readMultipart(request, intake);
  return { body: { kind: 'multipart', bytes, charset: 'utf-8' }, value: fields, files };
}

async function receiveFile(raw: IncomingMessage, media: MediaType | null, { limits, write }: BodyIntake): Promise<ReceivedBody> {
  const { sha256, size } = await write(streamBytes(raw, limits.bodyBytes));
  if (size === 0) return NO_BODY;
  const file: FileHandle = { name: 'body', filename: null, content_type: media?.type ?? 'application/octet-stream', size, sha256 };
  return { body: { kind: 'file', bytes: NO_BYTES, charset: 'utf-8' }, value: file, files: [file] };
}

function decode(body: RequestBody, limits: SinkLimits): ReceivedBody {
  if (body.kind === 'json' && body.charset !== 'utf-8')
    throw new AppError('unsupported_media', `JSON is UTF-8 (RFC 8259), not ${body.charset}`);
  const text = decodeOrRefuse(body);
  if (body.kind === 'json') return { body, value: parseJsonBody(text), files: [] };
  if (body.kind === 'text') return { body, value: text, files: [] };
  // curl sends `-d '{…}'` as a form when no type is given, as the HTTP Sink document itself does: that is JSON.
  if (body.charset === 'utf-8' && isJsonDocument(text)) return { body: { ...body, kind: 'json' }, value: parseJsonBody(text), files: [] };
  refuseManyFields(text, limits.fields);
  return { body, value: groupPairs(new URLSearchParams(text)), files: [] };
}

function refuseManyFields(form: string, limit: number): void {
  let fields = 0;
  for (let at = form.indexOf('&'); at !== -1; at = form.indexOf('&', at + 1)) {
    fields += 1;
    if (fields > limit) throw new AppError('too_large', `the form holds more than the ${limit} fields that this sink takes`);
  }
}

function isJsonDocument(text: string): boolean {
  if (!/^\s*[{[]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function decodeOrRefuse({ bytes, charset }: RequestBody): string {
  try {
    return decodeText(bytes, charset);
  } catch (error) {
    if (error instanceof RangeError) throw new AppError('unsupported_media', `the character set "${charset}" is not known; send UTF-8`);
    throw new AppError('invalid', `the body is not ${charset} text, as its Content-Type says`);
  }
}
