// `$request`: what a workflow can see of the request that triggered its run, and the two halves in which it is
// stored: a small JSON head, and the body as the bytes that came.

import { parseForm, UndecodableField } from '../form/form-decoding.ts';
import { parseJson } from '../json/json.ts';
import { parseJsonLines } from '../json/json-lines.ts';
import { decodeText } from '../values/charset.ts';

type PlainKind = 'empty' | 'json' | 'ndjson' | 'form' | 'multipart' | 'text' | 'file';

/**
 * How the body's bytes are read: decided once, from sink and content type, when the request arrives. `form:payload` is a
 * form whose field `payload` holds the body, as JSON.
 */
export type BodyKind = PlainKind | `form:${string}` | `multipart:${string}`;

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
  /** Character set of a text or a form; all others are UTF-8. */
  charset: string;
}

/** The value that `$request` selects. */
export interface Request extends RequestHead {
  body: unknown;
}

/** Reads the body's bytes as its kind says. Throws SyntaxError or TypeError when they are not of that kind. */
export function decodeBody(body: RequestBody, files: readonly FileHandle[]): unknown {
  const [kind, field] = splitKind(body.kind);
  const value = decodeAs(kind, body, files);
  return field === null ? value : jsonOf((value as Record<string, unknown>)[field]);
}

function splitKind(kind: BodyKind): [kind: PlainKind, field: string | null] {
  const colon = kind.indexOf(':');
  return colon === -1 ? [kind as PlainKind, null] : [kind.slice(0, colon) as PlainKind, kind.slice(colon + 1)];
}

/** A field of a form may have said that it is JSON, and was read as that. */
function jsonOf(field: unknown): unknown {
  return typeof field === 'string' ? parseJson(field) : (field ?? null);
}

function decodeAs(kind: PlainKind, body: RequestBody, files: readonly FileHandle[]): unknown {
  switch (kind) {
    case 'empty':
      return null;
    case 'ndjson':
      return parseJsonLines(decodeText(body.bytes, 'utf-8'));
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
