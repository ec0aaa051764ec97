// The input of a run, read from the request that triggers it: the head that is kept, the body as its bytes came, and
// the value of the body that selectors reach.

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { decodeText, type FileHandle, groupPairs, type Request, type RequestBody, type RequestHead } from '../../core/request.ts';
import type { Sink, SinkLimits } from '../../core/sink.ts';
import { AppError } from '../../errors.ts';
import type { BlobStore } from '../../storage/blobs.ts';
import { hasBody, readBytes, refuseAnnouncedSize, refuseWhenGone, streamBytes } from './body-bytes.ts';
import { parseJsonBody } from './json-body.ts';
import { bodyKindOf, type MediaType, readMediaType } from './media-type.ts';
import { readMultipart } from './multipart-body.ts';

export interface TriggerInput {
  head: RequestHead;
  body: RequestBody;
  /** Head and decoded body: what `$request` selects. */
  request: Request;
}

export interface TriggerTarget {
  sink: Sink;
  params: Record<string, string>;
  /** Path below the app, without the query. */
  path: string;
  /** What follows `?`; empty when there is none. */
  query: string;
  /** Read when the request came, for the caller may be gone by the time that it is needed. */
  clientIp: string;
}

interface Received {
  body: RequestBody;
  value: unknown;
  files: FileHandle[];
}

const NO_BYTES = new Uint8Array(0);
const NOTHING: Readonly<Received> = { body: { kind: 'empty', bytes: NO_BYTES, charset: 'utf-8' }, value: null, files: [] };

/** Rejects with `invalid`, `too_large` or `unsupported_media`; nothing but orphaned blobs is left behind then. */
export async function readTriggerInput(
  request: FastifyRequest,
  target: TriggerTarget,
  blobs: BlobStore,
  now: number,
): Promise<TriggerInput> {
  const media = readMediaType(request.raw.headers['content-type']);
  const { body, value, files } = hasBody(request.raw) ? await receive(request, media, target.sink.limits, blobs) : NOTHING;
  const { method } = request;
  const { path, params, clientIp: ip } = target;
  const query = target.query === '' ? {} : groupPairs(new URLSearchParams(target.query));
  const headers = keptHeaders(request.raw.headers);
  const contentType = media === null ? null : media.type;
  // Written out twice: copying an object with spread costs more than all the rest of this function.
  return {
    head: { method, path, params, query, headers, content_type: contentType, files, client_ip: ip, received_at: now },
    body,
    request: { method, path, params, query, headers, content_type: contentType, files, client_ip: ip, received_at: now, body: value },
  };
}

function receive(request: FastifyRequest, media: MediaType | null, limits: SinkLimits, blobs: BlobStore): Promise<Received> {
  const { raw } = request;
  refuseWhenGone(raw);
  const encoding = raw.headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new AppError('unsupported_media', `Content-Encoding "${encoding}" is not supported; send the body uncompressed`);
  }
  const kind = media === null ? 'file' : bodyKindOf(media);
  if (kind === 'multipart') return receiveForm(request, limits, blobs);
  refuseAnnouncedSize(raw, limits.bodyBytes);
  if (kind === 'file') return receiveFile(raw, media, limits, blobs);
  const charset = media?.charset ?? 'utf-8';
  return readBytes(raw, limits.bodyBytes, (bytes) => (bytes.byteLength === 0 ? NOTHING : decode({ kind, bytes, charset }, limits)));
}

async function receiveForm(request: FastifyRequest, limits: SinkLimits, blobs: BlobStore): Promise<Received> {
  const { fields, bytes, files } = await readMultipart(request, limits, blobs);
  return { body: { kind: 'multipart', bytes, charset: 'utf-8' }, value: fields, files };
}

async function receiveFile(raw: IncomingMessage, media: MediaType | null, limits: SinkLimits, blobs: BlobStore): Promise<Received> {
  const { sha256, size } = await blobs.write(streamBytes(raw, limits.bodyBytes));
  if (size === 0) return NOTHING;
  const file: FileHandle = { name: 'body', filename: null, content_type: media?.type ?? 'application/octet-stream', size, sha256 };
  return { body: { kind: 'file', bytes: NO_BYTES, charset: 'utf-8' }, value: file, files: [file] };
}

function decode(body: RequestBody, limits: SinkLimits): Received {
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

const SECRET_HEADERS = new Set(['authorization', 'proxy-authorization', 'cookie', '__proto__']);

/** Headers for the workflow to read; credentials and signatures stay outside. Most requests bring none of these. */
function keptHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  for (const name in headers) {
    if (isSecret(name) || typeof headers[name] !== 'string') return filterHeaders(headers);
  }
  return headers as Record<string, string>;
}

function filterHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !isSecret(name)) kept[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return kept;
}

function isSecret(name: string): boolean {
  return SECRET_HEADERS.has(name) || name.includes('signature');
}
