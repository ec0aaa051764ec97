// What makes a request that comes again the same one. Either the caller says so, by the Idempotency-Key header
// (draft-ietf-httpapi-idempotency-key-header), which is bound to the request by a fingerprint of all that a workflow could
// see of it, save when and from where it came; or the sink says what names a message, as a provider's own id does.
// Both are scoped to the sink.

import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { ExactNumber, parseJson } from '../../core/json/json.ts';
import type { Sink } from '../../core/sink/sink.ts';
import { onceByIdentity } from '../../core/values/memoize.ts';
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

/** Whether the request may bring a key: what the sink selects is known only when all of it is here. */
export function mayCarryKey({ raw, target }: Caller): boolean {
  return raw.headers['idempotency-key'] !== undefined || target.sink.idempotencyKey !== undefined;
}

/** `message` is what names the message, where the sink says so. Null when there is no key. Throws `invalid` for a header that cannot be one. */
export function readIdempotency({ raw }: Caller, input: TriggerInput, message: string | null): Idempotency | null {
  if (message !== null) {
    const fingerprint = fingerprintOf(input);
    // Another message under the same name is no repetition, and must not be lost: it has a key of its own. No header can
    // hold a key with a space, so that nobody takes it beforehand.
    return { key: `message ${sha256(JSON.stringify([message, fingerprint]))}`, fingerprint };
  }
  const header = raw.headers['idempotency-key'];
  if (header === undefined) return null;
  if (typeof header !== 'string' || !KEY.test(header)) {
    throw new AppError('invalid', 'the Idempotency-Key header must be 1 to 255 visible ASCII characters without spaces');
  }
  return { key: header, fingerprint: fingerprintOf(input) };
}

/** The sink is the same object for every request. */
const keyOf = onceByIdentity(({ idempotencyKey: text = '$' }: Sink) => ({
  text,
  select: compileSelector(text),
  isInBody: [undefined, 'body'].includes(parseSelector(text)?.path[0]),
}));

/** What the sink says names a message; null where the request has no such text or number. */
export async function messageName(
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
