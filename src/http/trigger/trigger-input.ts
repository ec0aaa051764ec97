// Reads the input of a run from the request that triggers it: the head that is stored, the body's bytes, and the body's
// value for selectors.

import type { FastifyRequest } from 'fastify';
import { parseQuery, UndecodableField } from '../../core/form/form-decoding.ts';
import { groupPairs, type Request, type RequestBody, type RequestHead } from '../../core/run/request.ts';
import { echoedHeaders, keptHeaders, keptQuery } from '../../core/secrets/caller-secrets.ts';
import { AppError } from '../../errors.ts';
import type { BlobStore } from '../../files/blobs.ts';
import { hasBody } from '../body/body-bytes.ts';
import { type BodyFormat, bodyFormat } from '../body/body-format.ts';
import type { BodyMemory } from '../body/body-memory.ts';
import type { TextFormat } from '../body/decode-body.ts';
import type { BodyIntake } from '../body/form/multipart-body.ts';
import { type MediaType, readMediaType } from '../body/media-type.ts';
import type { PayloadIntake } from '../body/payload-intake.ts';
import { NO_BODY, provenBody, type ReceivedBody, receiveBody } from '../body/received-body.ts';
import type { SenderCheck } from './senders/sender-check.ts';
import type { TriggerTarget } from './trigger-target.ts';

export interface TriggerInput {
  head: RequestHead;
  body: RequestBody;
  /** Head and decoded body, for `$request`. Null for a large body; `reading` then says how to decode it. */
  request: Request | null;
  reading?: TextFormat | 'stored';
}

export interface TriggerInputOptions {
  blobs: BlobStore;
  payloads: PayloadIntake;
  /** Accounts for the body. */
  bodyMemory: BodyMemory;
  /** Proves the sender, for sinks with a scheme. */
  sender: SenderCheck | null;
  /** Examines the input before its files are stored: for sinks of a website, or with a schema. */
  check: InputCheck | null;
  now: number;
}

/** Resolves to false for an input whose files must not be stored. */
export interface InputCheck {
  examine(input: TriggerInput): Promise<boolean>;
}

/** Rejects with `invalid`, `too_large`, `unsupported_media` or `unprocessable`, and then leaves at most orphaned blobs behind. */
export async function readTriggerInput(
  request: FastifyRequest,
  target: TriggerTarget,
  { blobs, payloads, bodyMemory, sender, check, now }: TriggerInputOptions,
): Promise<TriggerInput> {
  const { payload: source } = target.sink;
  const setting = sender === null ? target.sink.body : sender.bodySetting(target.sink.body);
  const limits = sender === null ? target.sink.limits : sender.limits(target.sink.limits);
  const seen = sender === null ? null : sender.watch(request.raw);
  const media = readMediaType(request.raw.headers['content-type'], setting === 'auto' || typeof setting === 'object');
  if (source !== null) {
    const { payload, ...received } = await payloads.receive(request, media, { source, limits, bodyMemory, seen, sender });
    const { head, body, request: read } = triggerInput(request, target, media, received, now);
    return {
      head: { ...head, payload },
      body,
      request: read === null ? null : { ...read, payload },
      ...(received.reading === undefined ? {} : { reading: received.reading }),
    };
  }
  if (!hasBody(request.raw)) {
    await sender?.finish(null, NO_BODY.body.bytes);
    return triggerInput(request, target, media, NO_BODY, now);
  }
  const format = bodyFormat(setting, media, limits);
  if (format.kind === 'multipart' || format.kind === 'nested-multipart' || ((sender !== null || check !== null) && mayBeFile(format))) {
    const read = (received: ReceivedBody): TriggerInput => triggerInput(request, target, media, received, now);
    return await receiveStaged(request, media, format, { limits, bodyMemory, seen, blobs, sender, check, read });
  }
  const received = await receiveBody(request, media, { limits, bodyMemory, seen, write: blobs.write }, format);
  const proving = sender?.finish(...provenBody(received));
  if (proving !== undefined) await proving;
  return triggerInput(request, target, media, received, now);
}

function mayBeFile({ kind }: BodyFormat): boolean {
  return kind === 'file' || kind === 'unknown';
}

interface StagedIntake extends Pick<BodyIntake, 'limits' | 'bodyMemory' | 'seen'>, Pick<TriggerInputOptions, 'blobs' | 'sender' | 'check'> {
  read: (received: ReceivedBody) => TriggerInput;
}

/** Stores all files of a request, or none; and none of a sender who is not proven, or of spam. */
async function receiveStaged(
  request: FastifyRequest,
  media: MediaType | null,
  format: BodyFormat,
  { limits, bodyMemory, seen, blobs, sender, check, read }: StagedIntake,
): Promise<TriggerInput> {
  const staged = blobs.stage();
  try {
    const received = await receiveBody(request, media, { limits, bodyMemory, seen, write: staged.write }, format);
    await sender?.finish(...provenBody(received));
    const input = read(received);
    if (check === null || (await check.examine(input))) await staged.publish();
    return input;
  } finally {
    await staged.discard();
  }
}

function triggerInput(
  request: FastifyRequest,
  target: TriggerTarget,
  media: MediaType | null,
  { body, value, files, reading }: ReceivedBody,
  now: number,
): TriggerInput {
  const { method } = request;
  const { path, params, clientIp: ip } = target;
  const query = target.query === '' ? {} : keptQuery(readQuery(target.query));
  const headers = keptHeaders(request.raw.headers);
  const contentType = media === null ? null : media.type;
  if (reading !== undefined) {
    const head = { method, path, params, query, headers, content_type: contentType, files, client_ip: ip, received_at: now };
    return { head, body, request: null, reading };
  }
  // Written out twice: a spread costs more than the rest of this function.
  return {
    head: { method, path, params, query, headers, content_type: contentType, files, client_ip: ip, received_at: now },
    body,
    request: { method, path, params, query, headers, content_type: contentType, files, client_ip: ip, received_at: now, body: value },
  };
}

/** The head for a custom answer to the same caller. Includes the secrets that are not stored. */
export function echoedHead<Head extends RequestHead>({ raw, target }: Pick<FastifyRequest, 'raw' | 'target'>, head: Head): Head {
  return { ...head, headers: echoedHeaders(raw.headers), query: target.query === '' ? {} : readQuery(target.query) };
}

/** Includes secrets. Throws `invalid` when a parameter cannot be decoded. */
export function readQuery(text: string): RequestHead['query'] {
  try {
    return groupPairs(parseQuery(text));
  } catch (error) {
    if (!(error instanceof UndecodableField)) throw error;
    throw new AppError('invalid', `query parameter ${error.message}`, { details: { part: error.field } });
  }
}
