// Sends one HTTP message: signs it, enforces its time limits, and follows redirects if the message asks for it.

import type { HttpMessage, OutboundResult, Redirect } from '../../core/delivery/outbound.ts';
import type { Dial } from '../guarded-connector.ts';
import { ABORTED, resultOfError } from '../network-fault.ts';
import { Refusal } from '../refusal.ts';
import type { SendOptions } from '../sender.ts';
import { sendEmptyChunked } from './empty-chunked-body.ts';
import { type Exchange, type ExchangeLimits, runExchange } from './exchange.ts';
import { byteLengthOf, type OpenBlob, streamBody, UnreadableBody, updateWithBody, wholeBody } from './message-body.ts';
import { flatHeaders, setHeader } from './message-headers.ts';
import { addHmac } from './message-hmac.ts';
import { type ExchangeOptions, OriginPools } from './origin-pools.ts';
import { followed, MAX_REDIRECTS, redirectedRequest } from './python-redirect.ts';
import { beginSignature, finishSignature, readSigningSecret } from './signature.ts';
import { totalLimitMs } from './total-limit.ts';
import { type WireRequest, writeRequest } from './wire-request.ts';

export interface HttpSenderOptions {
  dial: Dial;
  openBlob: OpenBlob;
  /** The `User-Agent` of a message that names none, as `sluice/1.0`. */
  userAgent: string;
  /** For the whole attempt with its redirects; default `totalLimitMs`. */
  totalTimeoutMs?: number | undefined;
  /** Bytes of an answer that are read. */
  maxResponseBytes?: number;
  connectionsPerOrigin?: number;
  /** Origins that keep connections at a time. */
  maxOrigins?: number;
}

const TOO_MANY_REDIRECTS: OutboundResult = {
  kind: 'network',
  code: 'TOO_MANY_REDIRECTS',
  reason: `Exceeded ${MAX_REDIRECTS} redirects.`,
};

export class HttpSender {
  readonly #options: HttpSenderOptions;
  readonly #pools: OriginPools;
  #closing: Promise<void> | null = null;

  constructor(options: HttpSenderOptions) {
    const { dial, connectionsPerOrigin = 64, maxOrigins = 256 } = options;
    this.#options = options;
    this.#pools = new OriginPools({ dial, connectionsPerOrigin, maxOrigins });
  }

  async send(message: HttpMessage, options: SendOptions): Promise<OutboundResult> {
    if (this.#closing !== null) return ABORTED;
    try {
      return await this.#attempt(message, options);
    } catch (error) {
      if (error instanceof Refusal || error instanceof UnreadableBody) return resultOfError(error);
      throw error;
    }
  }

  /** Resolves when all requests in flight have ended; their signals end them early. */
  close(): Promise<void> {
    this.#closing ??= this.#pools.close();
    return this.#closing;
  }

  async #attempt(message: HttpMessage, { idempotencyKey, deliveryId, now, signal }: SendOptions): Promise<OutboundResult> {
    const { openBlob, userAgent, totalTimeoutMs, maxResponseBytes = 16_384 } = this.#options;
    const timestamp = String(Math.floor(now / 1000));
    const limits: ExchangeLimits = {
      timeoutMs: message.timeoutMs,
      endsAt: performance.now() + (totalTimeoutMs ?? totalLimitMs(message.timeoutMs)),
      maxBodyBytes: maxResponseBytes,
      signal,
    };
    let request = writeRequest(message, { userAgent, idempotencyKey, deliveryId, timestamp });
    if (message.signingSecret !== null) await sign(request, message.signingSecret, deliveryId, timestamp, openBlob);
    if (message.hmac !== undefined) await addHmac(request, message.hmac, openBlob);
    const redirects: Redirect[] = [];
    for (;;) {
      if (signal.aborted) return ABORTED;
      const result = await this.#exchange(request, limits);
      if (result.kind !== 'response') return result;
      const next = message.redirects === 'as_requests' ? redirectedRequest(request, result) : null;
      if (next === null) return redirects.length === 0 ? result : { ...result, redirects };
      if (redirects.length === MAX_REDIRECTS) return TOO_MANY_REDIRECTS;
      redirects.push(followed(request, result.status, next));
      request = next;
    }
  }

  #exchange(request: WireRequest, limits: ExchangeLimits): Promise<OutboundResult> {
    const { dial, openBlob } = this.#options;
    const { url, body } = request;
    if (body?.length === 0) {
      return runExchange(url, limits, { count: 0 }, (running) => sendEmptyChunked(request, dial, limits.timeoutMs, running));
    }
    const { pool, waiting } = this.#pools.of(url.origin, limits.timeoutMs);
    return runExchange(url, limits, waiting, (running) => pool.dispatch(dispatchOptions(request, openBlob, running), running));
  }
}

function dispatchOptions({ method, url, headers, body }: WireRequest, openBlob: OpenBlob, exchange: Exchange): ExchangeOptions {
  const path = url.pathname + url.search;
  if (body === null) return { method, path, headers: flatHeaders(headers), exchange };
  const whole = wholeBody(body);
  if (whole !== null) return { method, path, headers: flatHeaders(headers), body: whole, exchange };
  const framed = [...flatHeaders(headers), 'content-length', String(byteLengthOf(body))];
  return { method, path, headers: framed, body: streamBody(body, openBlob, () => exchange.noteSignOfLife()), exchange };
}

/** Overrides fields of the message with the same names, which would break the signature. Throws Refusal. */
async function sign(
  { headers, body }: WireRequest,
  secret: string,
  deliveryId: string,
  timestamp: string,
  openBlob: OpenBlob,
): Promise<void> {
  const key = readSigningSecret(secret);
  if (key === null) throw new Refusal('the signing secret cannot be used; it must be whsec_ and base64');
  const signature = beginSignature(key, deliveryId, timestamp);
  await updateWithBody(signature, body, openBlob);
  setHeader(headers, 'webhook-id', deliveryId);
  setHeader(headers, 'webhook-timestamp', timestamp);
  setHeader(headers, 'webhook-signature', finishSignature(signature));
}
