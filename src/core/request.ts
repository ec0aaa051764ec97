// `$request`: what a workflow can see of the request that triggered its run, and the two halves in which it is
// stored: a small JSON head, and the body as the bytes that came.

import { parseJson } from './json.ts';

/** How the body's bytes are read: decided once, from the content type, when the request arrives. */
export type BodyKind = 'empty' | 'json' | 'form' | 'multipart' | 'text' | 'file';

/** A received file. Only the parser makes these: a JSON body that imitates one stays plain JSON. */
export interface FileHandle {
  /** Name of the form field, or `body` when the whole body is the file. */
  name: string;
  filename: string | null;
  content_type: string;
  size: number;
  sha256: string;
}

export interface RequestHead {
  method: string;
  path: string;
  params: Record<string, string>;
  query: Record<string, string | string[]>;
  headers: Record<string, string>;
  content_type: string | null;
  files: FileHandle[];
  client_ip: string;
  /** Milliseconds since the epoch. */
  received_at: number;
  /** The typed form of what a platform sent, where the sink says which one sends. */
  payload?: unknown;
}

export interface RequestBody {
  kind: BodyKind;
  /** `multipart`: the fields as JSON text. `file`: empty, the bytes are a blob. All others: the bytes that came. */
  bytes: Uint8Array;
  /** Character set of a `text` or `form` body; all others are UTF-8. */
  charset: string;
}

/** The value that `$request` selects. */
export interface Request extends RequestHead {
  body: unknown;
}

/** Reads the body's bytes as its kind says. Throws SyntaxError or TypeError when they are not of that kind. */
export function decodeBody(body: RequestBody, files: readonly FileHandle[]): unknown {
  switch (body.kind) {
    case 'empty':
      return null;
    case 'json':
    case 'multipart':
      return parseJson(decodeText(body.bytes, 'utf-8'));
    case 'form':
      return groupPairs(new URLSearchParams(decodeText(body.bytes, body.charset)));
    case 'text':
      return decodeText(body.bytes, body.charset);
    case 'file':
      return files[0] ?? null;
  }
}

/** Throws TypeError when the bytes are not of the character set, RangeError when the set is unknown. */
export function decodeText(bytes: Uint8Array, charset: string): string {
  return (charset === 'utf-8' ? UTF8 : new TextDecoder(charset, { fatal: true })).decode(bytes);
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** Name and value pairs as an object; a repeated name gathers its values in an array, in order. */
export function groupPairs<Value>(pairs: Iterable<[string, Value]>): Record<string, Value | Value[]> {
  const grouped = new Map<string, Value[]>();
  for (const [name, value] of pairs) {
    const values = grouped.get(name);
    if (values === undefined) grouped.set(name, [value]);
    else values.push(value);
  }
  return Object.fromEntries([...grouped].map(([name, values]) => [name, values.length === 1 ? (values[0] as Value) : values]));
}
