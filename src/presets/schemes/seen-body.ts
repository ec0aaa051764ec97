// Reads the body that a scheme signs field by field, from its bytes where the sink does not decode it as a whole.

import { headerAt, type SeenRequest } from '../place.ts';

/** Beyond it, decoding here would keep other requests waiting. */
const MAX_BYTES = 4 * 2 ** 20;

/** The body as a document, also where the sink reads it as text; undefined when it is none, or too large. */
export function documentOf({ body, bytes }: SeenRequest): unknown {
  if (typeof body === 'object' && body !== null) return body;
  if (bytes === undefined || bytes.byteLength > MAX_BYTES) return undefined;
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()) as unknown;
  } catch {
    return undefined;
  }
}

/** Another character set would give the same bytes another meaning. */
const FORM = /^application\/x-www-form-urlencoded\s*(?:;\s*charset="?utf-?8"?\s*)?$/i;

export function isForm(request: SeenRequest): boolean {
  return FORM.test(headerAt('content-type', request) ?? '');
}

/**
 * The values of a form by name, whatever the sink makes of it; none for an empty body. Null when the body is no form of UTF-8, or too
 * large.
 */
export function formOf(request: SeenRequest): Map<string, string[]> | null {
  const { bytes } = request;
  if (bytes?.byteLength === 0) return new Map();
  if (bytes === undefined || !isForm(request) || bytes.byteLength > MAX_BYTES) return null;
  const values = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString())) {
    const earlier = values.get(name);
    if (earlier === undefined) values.set(name, [value]);
    else earlier.push(value);
  }
  return values;
}

/** Names in order of their UTF-16 units, each followed by its distinct values in order, as Twilio's library does. */
export function sortedText(form: ReadonlyMap<string, readonly string[]>): string {
  return [...form.keys()]
    .sort()
    .flatMap((name) => [...new Set(form.get(name))].sort().map((value) => name + value))
    .join('');
}
