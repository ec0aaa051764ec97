// Lets scripts of the origins that a sink names read its answers (Fetch, CORS). Credentials of a browser are never allowed,
// and neither is the private network.

import type { FastifyReply, FastifyRequest } from 'fastify';
import type { CorsSetting } from '../core/sink/cors-setting.ts';

const EXPOSED = 'X-Run-Id, Location, Retry-After, Idempotent-Replayed';
const HEADER_NAMES = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}(?:[ \t]*,[ \t]*[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}){0,63}$/;
const MAX_REQUESTED_LENGTH = 2048;

/** The headers stand beside those of any later answer: a stream, a document or an error. Returns whether the origin is allowed. */
export function allowOrigin(request: FastifyRequest, { raw }: FastifyReply, { origins }: CorsSetting): boolean {
  raw.setHeader('vary', 'Origin');
  const { origin } = request.raw.headers;
  const isAny = origins[0] === '*';
  if (origin === undefined || !(isAny || origins.includes(origin))) return false;
  raw.setHeader('access-control-allow-origin', isAny ? '*' : origin);
  raw.setHeader('access-control-expose-headers', EXPOSED);
  return true;
}

/** The method that a preflight asks for; null for any other request. */
export function preflightMethod({ method, raw: { headers } }: FastifyRequest): string | null {
  const wanted = headers['access-control-request-method'];
  return method === 'OPTIONS' && headers.origin !== undefined && typeof wanted === 'string' ? wanted : null;
}

/** To be called before the 204 is sent. */
export function answerPreflight(request: FastifyRequest, reply: FastifyReply, cors: CorsSetting, method: string): void {
  const isAllowed = allowOrigin(request, reply, cors);
  const { raw } = reply;
  raw.setHeader('vary', 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers');
  if (!isAllowed) return;
  raw.setHeader('access-control-allow-methods', method);
  raw.setHeader('access-control-max-age', String(cors.maxAgeSeconds));
  const requested = request.raw.headers['access-control-request-headers'];
  if (typeof requested === 'string' && requested.length <= MAX_REQUESTED_LENGTH && HEADER_NAMES.test(requested))
    raw.setHeader('access-control-allow-headers', requested);
}
