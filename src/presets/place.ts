// Reads a place of a request: a header, a parameter of the query, or a value of the body.

import type { Place } from './preset.ts';

export interface SeenHead {
  method: string;
  /** Names in lower case. */
  headers: Readonly<Record<string, string | string[] | undefined>>;
  query: Readonly<Record<string, string | string[]>>;
}

export interface SeenRequest extends SeenHead {
  /** Decoded; undefined while it has not been read, and for a body too large to decode at once. */
  body?: unknown;
  /** Of a body that is text, without its content coding; of a multipart form, its fields as JSON. Undefined for a file. */
  bytes?: Uint8Array | undefined;
}

/** Returns the text or number there, as text. Null when there is none. */
export function textAt(place: Place, request: SeenRequest): string | null {
  return textsAt(place, request)[0] ?? null;
}

/** `name` is in lower case. */
export function headerAt(name: string, { headers }: Pick<SeenHead, 'headers'>): string | null {
  return firstOf(headers[name]);
}

/** Returns one entry for each item that a `*` in the path of a body stands for, else one. */
export function textsAt(place: Place, request: SeenRequest): (string | null)[] {
  const colon = place.indexOf(':');
  const name = place.slice(colon + 1);
  switch (place.slice(0, colon)) {
    case 'header':
      return [headerAt(name, request)];
    case 'query':
      return [Object.hasOwn(request.query, name) ? firstOf(request.query[name]) : null];
    default:
      return valuesAt(request.body, name.split('.')).map(textOf);
  }
}

function firstOf(value: string | string[] | undefined): string | null {
  return (typeof value === 'string' ? value : value?.[0]) ?? null;
}

function valuesAt(value: unknown, [key, ...rest]: readonly string[]): unknown[] {
  if (key === undefined) return [value];
  if (typeof value !== 'object' || value === null) return [null];
  if (key === '*') return Array.isArray(value) ? value.flatMap((item) => valuesAt(item, rest)) : [null];
  return valuesAt(Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : null, rest);
}

/** A number may be wrapped, to keep its text. */
function textOf(value: unknown): string | null {
  const plain: unknown = value?.valueOf();
  return typeof plain === 'string' || typeof plain === 'number' ? String(value) : null;
}
