// Handshakes: requests by which a provider makes sure that an address is the operator's. They are answered and start no run.
// An unsigned handshake may come from anyone, so only plain text is repeated to it.

import { createHmac, timingSafeEqual } from 'node:crypto';
import { headerAt, type SeenRequest, textAt } from './place.ts';
import type { Conditions, Handshake, HandshakeAnswer, Place, Preset } from './preset.ts';

export interface ReadyAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** What a sink knows for its handshakes. */
export interface HandshakeSettings {
  /** In clear; the first one signs answers. */
  secrets: readonly string[];
  /** In clear, by name. */
  settings: Readonly<Record<string, string>>;
}

export type HandshakeOutcome =
  | { kind: 'answer'; answer: ReadyAnswer }
  /** The request is the handshake, but a value of it is wrong. */
  | { kind: 'refused'; reason: string };

/** Returns the handshakes that the request may be, as far as its head tells. `sinkMethod` is the method of the sink. */
export function possibleHandshakes(
  { handshakes }: Pick<Preset, 'handshakes'>,
  head: Omit<SeenRequest, 'body'>,
  sinkMethods: readonly string[],
): Handshake[] {
  return handshakes.filter(
    ({ method, when }) =>
      (method === undefined ? sinkMethods.includes(head.method) : method === head.method) && matches(headConditions(when), head),
  );
}

/** True when the body must be read to know. */
export function needsBody({ when, answer }: Handshake): boolean {
  return Object.keys(when).some((place) => place.startsWith('body:')) || termsOf(answer).some((term) => term.includes('body:'));
}

export function isHandshake({ when }: Handshake, request: SeenRequest): boolean {
  return matches(when, request);
}

function headConditions(when: Conditions): Conditions {
  return Object.fromEntries(Object.entries(when).filter(([place]) => !place.startsWith('body:')));
}

function matches(when: Conditions, request: SeenRequest): boolean {
  return Object.entries(when).every(([place, wanted]) => {
    const value = place === 'content-type' ? mediaType(request) : textAt(place as Place, request);
    return value !== null && (wanted === '*' || value === String(wanted));
  });
}

function mediaType(request: SeenRequest): string | null {
  return headerAt('content-type', request)?.split(';')[0]?.trim().toLowerCase() ?? null;
}

/** Answers a request that is the handshake. */
export function answerHandshake(
  { compare, answer, isSigned }: Handshake,
  request: SeenRequest,
  known: HandshakeSettings,
): HandshakeOutcome {
  if (compare !== undefined && !isSame(textAt(compare.place, request) ?? '', known.settings[compare.setting] ?? ''))
    return { kind: 'refused', reason: `the value of ${compare.place.replace(':', ' ')} is not the ${compare.setting} of this sink` };
  const values = termsOf(answer).map((term) => ({ term, value: termValue(term, request, known) }));
  const missing = values.find(({ value }) => value === null);
  if (missing !== undefined) return { kind: 'refused', reason: `${missing.term.replace(':', ' ')} of the request is missing` };
  // Anything else that is repeated to just anyone could act as a page of this server.
  const alien = isSigned ? undefined : values.find(({ term, value }) => !isHarmless(term, value as string, request));
  if (alien !== undefined)
    return {
      kind: 'refused',
      reason: `${alien.term.replace(':', ' ')} of the request must be ${alien.term.startsWith('hmac-') ? 'base64' : '1 to 1024 visible ASCII characters'}`,
    };
  return { kind: 'answer', answer: fill(answer, new Map(values.map(({ term, value }) => [term, value as string]))) };
}

const PLAIN = /^[\x20-\x7e]{1,1024}$/;
/** Its HMAC must not be the signature of a body that someone else wrote, so this is neither JSON with a name nor a form. */
const TOKEN = /^(?=.{1,1024}$)[\w.~+/-]+={0,2}$/;

function isHarmless(term: string, value: string, request: SeenRequest): boolean {
  const [, , place] = HMAC_TERM.exec(term) ?? [];
  return place === undefined ? PLAIN.test(value) : TOKEN.test(textAt(place as Place, request) ?? '');
}

const TERM = /\{([a-z0-9-]+:[^{}]+)\}/g;

function termsOf({ headers = {}, text = '', json = {} }: HandshakeAnswer): string[] {
  const templates = [...Object.values(headers), text, ...Object.values(json).filter((value) => typeof value === 'string')];
  return templates.flatMap((template) => [...template.matchAll(TERM)].map(([, term]) => term as string));
}

const HMAC_TERM = /^hmac-sha256-(hex|base64):(.+)$/;

function termValue(term: string, request: SeenRequest, { secrets: [secret] }: HandshakeSettings): string | null {
  const [, encoding, place] = HMAC_TERM.exec(term) ?? [];
  if (place === undefined) return textAt(term as Place, request);
  const text = textAt(place as Place, request);
  if (text === null || secret === undefined) return null;
  return createHmac('sha256', secret)
    .update(text)
    .digest(encoding as 'hex' | 'base64');
}

function fill({ status, headers = {}, text, json }: HandshakeAnswer, values: ReadonlyMap<string, string>): ReadyAnswer {
  const filled = (template: string): string => template.replaceAll(TERM, (_whole, term: string) => values.get(term) as string);
  const filledIn = (templates: Readonly<Record<string, string | number>>): Record<string, string> =>
    Object.fromEntries(
      Object.entries(templates).map(([name, value]) => [name, typeof value === 'string' ? filled(value) : value]),
    ) as Record<string, string>;
  const body = json === undefined ? filled(text ?? '') : JSON.stringify(filledIn(json));
  const type = json === undefined ? 'text/plain; charset=utf-8' : 'application/json; charset=utf-8';
  return {
    status,
    headers: {
      ...filledIn(headers),
      ...(body === '' ? {} : { 'content-type': type }),
      'x-content-type-options': 'nosniff',
      'content-security-policy': 'sandbox',
    },
    body,
  };
}

function isSame(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return wanted !== '' && a.length === b.length && timingSafeEqual(a, b);
}
