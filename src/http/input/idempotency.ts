// The Idempotency-Key header (draft-ietf-httpapi-idempotency-key-header): scoped to the sink, bound to the request by
// a fingerprint of all that a workflow could see of it, save when and from where it came.

import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../../errors.ts';
import type { TriggerInput } from './trigger-input.ts';

const KEY = /^[\x21-\x7e]{1,255}$/;

export interface Idempotency {
  key: string;
  fingerprint: string;
}

export function carriesKey({ raw }: Pick<FastifyRequest, 'raw'>): boolean {
  return raw.headers['idempotency-key'] !== undefined;
}

/** Null when the caller sent no key. Throws `invalid` for one that cannot be a key. */
export function readIdempotency(request: FastifyRequest, { head, body }: TriggerInput): Idempotency | null {
  const key = request.raw.headers['idempotency-key'];
  if (key === undefined) return null;
  if (typeof key !== 'string' || !KEY.test(key)) {
    throw new AppError('invalid', 'the Idempotency-Key header must be 1 to 255 visible ASCII characters without spaces');
  }
  const { method, path, query, content_type: contentType, files } = head;
  const seen = JSON.stringify([method, path, query, contentType, files.map(({ name, filename, sha256 }) => [name, filename, sha256])]);
  return { key, fingerprint: createHash('sha256').update(seen).update(body.bytes).digest('hex') };
}
