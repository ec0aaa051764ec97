// The header fields of a request: the message's fields override ours, by name in any case. A field that would break the
// framing or cannot be written is refused by name, never with its value, which may be a secret.

import { Refusal } from '../refusal.ts';

/** By lower-case name; the entry keeps the name as written. */
export type WireHeaders = Map<string, readonly [name: string, value: string]>;

/** Fields of routing and framing, which the connection sets. */
const FRAMING = new Set(['connection', 'content-length', 'expect', 'host', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade']);
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const NEVER_WRITTEN = /[^\t\x20-\x7e\x80-\xff]/;
const BEYOND_LATIN_1 = /[\u0100-\uffff]/;

/** Replaces an entry of the same name. Throws Refusal. */
export function addMessageHeaders(headers: WireHeaders, fields: Readonly<Record<string, string>>): void {
  for (const name in fields) {
    const value = fields[name] as string;
    const key = name.toLowerCase();
    if (!TOKEN.test(name)) throw new Refusal(`${JSON.stringify(name)} is not a valid header name`);
    if (FRAMING.has(key) || key.startsWith('proxy-')) throw new Refusal(`the header ${name} is set by the server and must not be given`);
    if (NEVER_WRITTEN.test(value)) throw new Refusal(`the value of the header ${name} holds ${whatIsWrong(value)}`);
    headers.set(key, [name, value]);
  }
}

function whatIsWrong(value: string): string {
  return BEYOND_LATIN_1.test(value) ? 'a character outside Latin-1' : 'a line break or another control character';
}

export function setHeader(headers: WireHeaders, name: string, value: string): void {
  headers.set(name.toLowerCase(), [name, value]);
}

/** In undici's form: name, value, name, value. */
export function flatHeaders(headers: WireHeaders): string[] {
  const flat: string[] = [];
  for (const [name, value] of headers.values()) flat.push(name, value);
  return flat;
}
