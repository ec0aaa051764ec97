// `$request`: what a workflow can see of the request that triggered its run, and the two halves in which it is
// stored: a small JSON head, and the body as the bytes that came.

import { decodeText } from './charset.ts';
import { parseForm, UndecodableField } from './form-decoding.ts';
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
      return groupPairs(formPairs(body));
    case 'text':
      return decodeText(body.bytes, body.charset);
    case 'file':
      return files[0] ?? null;
  }
}

/** A form may have been stored when escapes were taken for UTF-8, whatever they were: it is read as it was then. */
function formPairs({ bytes, charset }: RequestBody): Iterable<[string, string]> {
  try {
    return parseForm(bytes, charset);
  } catch (error) {
    if (error instanceof UndecodableField) return new URLSearchParams(decodeText(bytes, charset));
    throw error;
  }
}

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
