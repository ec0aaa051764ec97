// Recognizes repeated requests to a sink, by the Idempotency-Key header (draft-ietf-httpapi-idempotency-key-header) or by
// the message id that the sink selects. A fingerprint of what a workflow can see, except time and address, binds the key.

import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { ExactNumber, parseJson } from '../../core/json/json.ts';
import { DEFAULT_IDEMPOTENCY_HOURS, NO_IDEMPOTENCY } from '../../core/sink/idempotency-setting.ts';
import type { Sink } from '../../core/sink/sink.ts';
import { memoizeByIdentity } from '../../core/values/memoize.ts';
import { compileSelector, type Roots } from '../../core/workflow/bindings.ts';
import { parseSelector } from '../../core/workflow/selector.ts';
import type { Engine } from '../../engine/engine.ts';
import { AppError } from '../../errors.ts';
import type { Place, Preset } from '../../presets/preset.ts';
import type { Signed } from '../../presets/proofs/proof.ts';
import { findPreset } from '../../presets/table.ts';
import type { TriggerInput } from './trigger-input.ts';

const KEY = /^[\x21-\x7e]{1,255}$/;

export interface Idempotency {
  key: string;
  fingerprint: string;
  /** How long the key is remembered. */
  keepMs: number;
}

type Caller = Pick<FastifyRequest, 'raw' | 'target' | 'sender'>;

/** Whether the request may have a key. What names a message is known only once the whole request has been read. */
export function mayCarryKey({ raw, target, sender }: Caller): boolean {
  return raw.headers['idempotency-key'] !== undefined || nameOf(target.sink) !== null || (sender?.signed ?? null) !== null;
}

/**
 * Resolves to null without a key. Rejects with `invalid` when the header is not a valid key. `item` is the position in a list
 * whose items are runs: a key that is not in the item's own body names all of them.
 */
export async function readIdempotency(
  { raw, target: { sink }, sender }: Caller,
  input: TriggerInput,
  renderLarge: Engine['renderLarge'],
  item: number | null = null,
): Promise<Idempotency | null> {
  const keepMs = (sink.idempotencyHours ?? DEFAULT_IDEMPOTENCY_HOURS) * 3_600_000;
  const signed = sender?.signed ?? null;
  if (signed !== null && (!signed.coversBody || sink.idempotencyKey === undefined)) return signedIdempotency(signed, input, keepMs, item);
  const name = nameOf(sink);
  const message = name === null ? null : await messageOf(name.selectors, input, renderLarge, item);
  if (message !== null) return messageIdempotency(message, input, keepMs);
  if (name?.isBody === true) {
    const digest = sha256(fileHashes(input), input.body.bytes);
    return { key: `body ${digest}${placeOf(item)}`, fingerprint: digest, keepMs };
  }
  const header = raw.headers['idempotency-key'];
  if (header === undefined) return null;
  if (typeof header !== 'string' || !KEY.test(header)) {
    throw new AppError('invalid', 'the Idempotency-Key header must be 1 to 255 visible ASCII characters without spaces');
  }
  return { key: `${header}${placeOf(item)}`, fingerprint: fingerprintOf(input), keepMs };
}

/**
 * A different message with the same id must not be lost, so the fingerprint is part of the key, unless the sender signs the id: it
 * may count its retries in the body. A header's key cannot contain a space, so no caller can claim this key in advance.
 */
function messageIdempotency({ id, isSigned }: MessageId, input: TriggerInput, keepMs: number): Idempotency {
  const fingerprint = isSigned ? sha256(id) : fingerprintOf(input);
  return { key: `message ${sha256(JSON.stringify([id, fingerprint]))}`, fingerprint, keepMs };
}

function placeOf(item: number | null): string {
  return item === null ? '' : ` ${item}`;
}

/**
 * A proof that covers the body names the message, however it is written. With any other proof the same name with another body is
 * a forgery: it is a conflict, and is remembered for as long as the proof passes.
 */
function signedIdempotency(
  { name, coversBody, goodForMs = 0 }: Signed,
  input: TriggerInput,
  keepMs: number,
  item: number | null,
): Idempotency {
  const digest = sha256(name);
  const fingerprint = coversBody ? digest : fingerprintOf(input);
  return { key: `signed ${digest}${placeOf(item)}`, fingerprint, keepMs: Math.max(keepMs, goodForMs) };
}

/** What names a message of a sink. */
interface MessageName {
  selectors: MessageSelector[];
  /** Its bytes do if no selector finds a name: the sender signs them without a time. */
  isBody: boolean;
}

interface MessageSelector {
  text: string;
  select: (roots: Roots) => unknown;
  isInBody: boolean;
  /** The sender signs what it selects. */
  isSigned: boolean;
}

interface MessageId {
  id: string;
  isSigned: boolean;
}

/** Compiled once per sink: it is the same object for every request. */
const nameOf = memoizeByIdentity((sink: Sink): MessageName | null => {
  if (sink.idempotencyKey === NO_IDEMPOTENCY) return null;
  if (sink.idempotencyKey !== undefined) return { selectors: [compileName(sink.idempotencyKey)], isBody: false };
  return sink.auth.type === 'scheme' ? namedByPreset(findPreset(sink.auth.scheme)) : null;
});

function compileName(text: string, isSigned = false): MessageSelector {
  return { text, select: compileSelector(text), isInBody: [undefined, 'body'].includes(parseSelector(text)?.path[0]), isSigned };
}

/**
 * A request that is signed without a time can be sent again by anyone who has seen it, with another id in its head. Its body
 * is then the only name that is signed.
 */
function namedByPreset(preset: Preset | undefined): MessageName | null {
  if (preset === undefined) return null;
  const { proof, deliveryId, unconfirmed } = preset;
  const isTimeless = proof.kind === 'signature' && proof.timestamp === undefined;
  const isSigned = proof.kind === 'signature' && deliveryId?.startsWith('body:') === true && !unconfirmed.includes('deliveryId');
  if (isSigned) return { selectors: [compileName(selectorOf(deliveryId as Place), true)], isBody: isTimeless };
  if (isTimeless) return { selectors: [], isBody: true };
  const aliases = proof.kind === 'signature' ? (proof.aliases ?? []) : [];
  const places = [deliveryId, ...aliases.map((alias) => alias.deliveryId)].filter((place) => place != null);
  return places.length === 0 ? null : { selectors: places.map((place) => compileName(selectorOf(place))), isBody: false };
}

function selectorOf(place: Place): string {
  const [root, ...name] = place.split(':');
  if (root === 'body') return `$request.body.${name.join(':')}`;
  return `$request.${root === 'header' ? 'headers' : 'query'}["${name.join(':')}"]`;
}

/** Returns the id that the first matching selector selects. Null when the request has no such text or number. */
async function messageOf(
  selectors: readonly MessageSelector[],
  input: TriggerInput,
  renderLarge: Engine['renderLarge'],
  item: number | null,
): Promise<MessageId | null> {
  const { head, body, request, reading } = input;
  for (const { text, select, isInBody, isSigned } of selectors) {
    const isElsewhere = request === null && isInBody;
    const value = isElsewhere
      ? parseJson(await renderLarge({ head, body, reading, template: text, roots: '{}' }))
      : select({ request: request ?? head });
    const isName = (typeof value === 'string' && value !== '') || typeof value === 'number' || value instanceof ExactNumber;
    if (isName) return { id: isInBody ? String(value) : `${String(value)}${placeOf(item)}`, isSigned };
  }
  return null;
}

function fingerprintOf(input: TriggerInput): string {
  const { method, path, query, content_type: contentType, files } = input.head;
  const seen = JSON.stringify([method, path, query, contentType, files.map(({ name, filename, sha256 }) => [name, filename, sha256])]);
  return sha256(seen, input.body.bytes);
}

function fileHashes({ head }: TriggerInput): string {
  return JSON.stringify(head.files.map(({ sha256: hash }) => hash));
}

function sha256(...parts: (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}
