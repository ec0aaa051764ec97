// Builds the request that a handshake of a preset asks for, and the answer that its row promises: from the row alone.

import { createHmac } from 'node:crypto';
import type { Handshake } from '../../src/presets/preset.ts';
import { withValueAt } from './document-path.ts';

export interface HandshakeRequest {
  method: string;
  headers: Record<string, string>;
  query: Record<string, string>;
  body: unknown;
}

const TERM = /\{([^{}]+)\}/g;

/** Value of the setting that a handshake compares. */
export const COMPARED = 'verify-me';

/** Has `value` at each place that the handshake repeats or leaves open. `method` is that of the sink. */
export function meetHandshake(handshake: Handshake, value: string, method = 'POST'): HandshakeRequest {
  const request: HandshakeRequest = { method: handshake.method ?? method, headers: {}, query: {}, body: undefined };
  for (const term of termsOf(handshake)) put(request, placeOf(term), value);
  if (handshake.compare !== undefined) put(request, handshake.compare.place, COMPARED);
  for (const [place, wanted = '*'] of Object.entries(handshake.when))
    put(request, place === 'content-type' ? 'header:content-type' : place, wanted === '*' ? value : wanted);
  return request;
}

/** Writes the value of a condition, which may be a number in a body. */
export function put(request: HandshakeRequest, place: string, value: string | number): void {
  const colon = place.indexOf(':');
  const name = place.slice(colon + 1);
  if (place.startsWith('header:')) request.headers[name] = String(value);
  else if (place.startsWith('query:')) request.query[name] = String(value);
  else request.body = withValueAt(request.body, name, () => value);
}

/** Places and HMACs that the answer repeats. */
export function termsOf({ answer: { headers = {}, text = '', json = {} } }: Handshake): string[] {
  const templates = [...Object.values(headers), text, ...Object.values(json).map(String)];
  return templates.flatMap((template) => [...template.matchAll(TERM)].map(([, term]) => term as string));
}

function placeOf(term: string): string {
  return term.replace(/^hmac-sha256-(?:hex|base64):/, '');
}

/** The answer with `value` at each open place. The secret of HMACs is text. */
export function promisedAnswer({ answer: { headers = {}, text = '', json } }: Handshake, value: string, secret: string) {
  const fill = (template: string): string =>
    template.replaceAll(TERM, (_whole, term: string) => {
      const [, encoding] = /^hmac-sha256-(hex|base64):/.exec(term) ?? [];
      return encoding === undefined
        ? value
        : createHmac('sha256', secret)
            .update(value)
            .digest(encoding as 'hex' | 'base64');
    });
  const filled = Object.fromEntries(Object.entries(json ?? {}).map(([name, item]) => [name, typeof item === 'string' ? fill(item) : item]));
  return {
    headers: Object.fromEntries(Object.entries(headers).map(([name, template]) => [name, fill(template)])),
    body: json === undefined ? fill(text) : JSON.stringify(filled),
    type: json === undefined ? 'text/plain; charset=utf-8' : 'application/json; charset=utf-8',
  };
}
