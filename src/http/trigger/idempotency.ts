// Recognizes repeated requests to a sink, by the Idempotency-Key header (draft-ietf-httpapi-idempotency-key-header) or by
// the message id that the sink selects. A fingerprint of what a workflow can see, except time and address, binds the key.

import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { ExactNumber, parseJson } from '../../core/json/json.ts';
import type { Sink } from '../../core/sink/sink.ts';
import { memoizeByIdentity } from '../../core/values/memoize.ts';
import { compileSelector } from '../../core/workflow/bindings.ts';
import { parseSelector } from '../../core/workflow/selector.ts';
import type { Engine } from '../../engine/engine.ts';
import { AppError } from '../../errors.ts';
import type { TriggerInput } from './trigger-input.ts';

const KEY = /^[\x21-\x7e]{1,255}$/;

export interface Idempotency {
  key: string;
  fingerprint: string;
}

type Caller = Pick<FastifyRequest, 'raw' | 'target'>;

/** Whether the request may have a key. A message id is known only once the whole request has been read. */
export function mayCarryKey({ raw, target }: Caller): boolean {
  return raw.headers['idempotency-key'] !== undefined || target.sink.idempotencyKey !== undefined;
}

/** `message` is the id that the sink selects. Returns null without a key. Throws `invalid` when the header is not a valid key. */
export function readIdempotency({ raw }: Caller, input: TriggerInput, message: string | null): Idempotency | null {
  if (message !== null) {
    const fingerprint = fingerprintOf(input);
    // A different message with the same id must not be lost, so the fingerprint is part of the key. A header's key cannot
    // contain a space, so no caller can claim this key in advance.
    return { key: `message ${sha256(JSON.stringify([message, fingerprint]))}`, fingerprint };
  }
  const header = raw.headers['idempotency-key'];
  if (header === undefined) return null;
  if (typeof header !== 'string' || !KEY.test(header)) {
    throw new AppError('invalid', 'the Idempotency-Key header must be 1 to 255 visible ASCII characters without spaces');
  }
  return { key: header, fingerprint: fingerprintOf(input) };
}

/** Compiled once per sink: it is the same object for every request. */
const keyOf = memoizeByIdentity(({ idempotencyKey: text = '$' }: Sink) => ({
  text,
  select: compileSelector(text),
  isInBody: [undefined, 'body'].includes(parseSelector(text)?.path[0]),
}));

/** Returns the message id that the sink selects. Null when the request has no such text or number. */
export async function messageIdOf(
  sink: Sink,
  { head, body, request, reading }: TriggerInput,
  renderLarge: Engine['renderLarge'],
): Promise<string | null> {
  const { text, select, isInBody } = keyOf(sink);
  const isElsewhere = request === null && isInBody;
  const value = isElsewhere
    ? parseJson(await renderLarge({ head, body, reading, template: text, roots: '{}' }))
    : select({ request: request ?? head });
  const isName = (typeof value === 'string' && value !== '') || typeof value === 'number' || value instanceof ExactNumber;
  return isName ? String(value) : null;
}

function fingerprintOf({ head, body }: TriggerInput): string {
  const { method, path, query, content_type: contentType, files } = head;
  const seen = JSON.stringify([method, path, query, contentType, files.map(({ name, filename, sha256 }) => [name, filename, sha256])]);
  return sha256(seen, body.bytes);
}

function sha256(...parts: (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}
