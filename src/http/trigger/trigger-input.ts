// The input of a run, read from the request that triggers it: the head that is kept, the body as its bytes came, and
// the value of the body that selectors reach.

import type { FastifyRequest } from 'fastify';
import { parseQuery, UndecodableField } from '../../core/form/form-decoding.ts';
import { groupPairs, type Request, type RequestBody, type RequestHead } from '../../core/run/request.ts';
import { echoedHeaders, keptHeaders, keptQuery } from '../../core/secrets/caller-secrets.ts';
import type { Sink } from '../../core/sink/sink.ts';
import { AppError } from '../../errors.ts';
import type { BlobStore } from '../../files/blobs.ts';
import { hasBody } from '../body/body-bytes.ts';
import type { BodyHold } from '../body/body-hold.ts';
import { type BodyReading, bodyReading } from '../body/body-reading.ts';
import type { TextReading } from '../body/decode-body.ts';
import type { BodyIntake } from '../body/form/multipart-body.ts';
import { type MediaType, readMediaType } from '../body/media-type.ts';
import type { PayloadIntake } from '../body/payload-intake.ts';
import { NO_BODY, type ReceivedBody, receiveBody } from '../body/received-body.ts';

export interface TriggerInput {
  head: RequestHead;
  body: RequestBody;
  /** Head and decoded body: what `$request` selects. Null for a large body, which `reading` says how to decode. */
  request: Request | null;
  reading?: TextReading | 'stored';
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

export interface TriggerInputOptions {
  blobs: BlobStore;
  payloads: PayloadIntake;
  /** Where the body is accounted for. */
  hold: BodyHold;
  now: number;
}

/**
 * Rejects with `invalid`, `too_large`, `unsupported_media` or `unprocessable`; nothing but orphaned blobs is left behind
 * then.
 */
export async function readTriggerInput(
  request: FastifyRequest,
  target: TriggerTarget,
  { blobs, payloads, hold, now }: TriggerInputOptions,
): Promise<TriggerInput> {
  const { payload: source, limits, body: setting } = target.sink;
  const media = readMediaType(request.raw.headers['content-type'], setting === 'auto' || typeof setting === 'object');
  if (source !== null) {
    const { payload, ...received } = await payloads.receive(request, media, { source, limits, hold });
    const { head, body, request: seen } = triggerInput(request, target, media, received, now);
    return {
      head: { ...head, payload },
      body,
      request: seen === null ? null : { ...seen, payload },
      ...(received.reading === undefined ? {} : { reading: received.reading }),
    };
  }
  if (!hasBody(request.raw)) return triggerInput(request, target, media, NO_BODY, now);
  const reading = bodyReading(setting, media, limits);
  const received = await (reading.kind === 'multipart'
    ? receiveForm(request, media, reading, { limits, hold }, blobs)
    : receiveBody(request, media, { limits, hold, write: blobs.write }, reading));
  return triggerInput(request, target, media, received, now);
}

/** The files of one form are stored together: all of them, or none. */
async function receiveForm(
  request: FastifyRequest,
  media: MediaType | null,
  reading: BodyReading,
  bounds: Pick<BodyIntake, 'limits' | 'hold'>,
  blobs: BlobStore,
): Promise<ReceivedBody> {
  const staged = blobs.stage();
  try {
    const received = await receiveBody(request, media, { ...bounds, write: staged.write }, reading);
    await staged.publish();
    return received;
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
  // Written out twice: copying an object with spread costs more than all the rest of this function.
  return {
    head: { method, path, params, query, headers, content_type: contentType, files, client_ip: ip, received_at: now },
    body,
    request: { method, path, params, query, headers, content_type: contentType, files, client_ip: ip, received_at: now, body: value },
  };
}

/** As its own answer may repeat it: with the secrets that are not kept. */
export function echoedHead<Head extends RequestHead>({ raw, target }: Pick<FastifyRequest, 'raw' | 'target'>, head: Head): Head {
  return { ...head, headers: echoedHeaders(raw.headers), query: target.query === '' ? {} : readQuery(target.query) };
}

/** All of it, secrets too. Throws `invalid` for what cannot be decoded. */
function readQuery(text: string): RequestHead['query'] {
  try {
    return groupPairs(parseQuery(text));
  } catch (error) {
    if (!(error instanceof UndecodableField)) throw error;
    throw new AppError('invalid', `query parameter ${error.message}`, { details: { part: error.field } });
  }
}
