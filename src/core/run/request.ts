// `$request`: the part of the triggering request that a workflow can see. It is stored in two halves: a small JSON
// head, and the body as raw bytes.

import { parseForm, UndecodableField } from '../form/form-decoding.ts';
import { nestNames } from '../form/nested-names.ts';
import { parseJson } from '../json/json.ts';
import { parseJsonLines } from '../json/json-lines.ts';
import { decodeText } from '../values/charset.ts';

type PlainKind = 'empty' | 'json' | 'ndjson' | 'form' | 'nested-form' | 'multipart' | 'text' | 'file' | 'batch';

/**
 * How the body's bytes are read: decided once on arrival, from sink and content type. `form:payload` is a form whose
 * field `payload` contains the body as JSON. `batch` is a JSON list of the bodies that the sink has collected.
 */
export type BodyKind = PlainKind | `form:${string}` | `multipart:${string}`;

/** A received file. Only the parser creates these: a JSON body that imitates one stays plain JSON. */
export interface FileHandle {
  /** Name of the form field, or `body` when the whole body is the file. */
  name: string;
  filename: string | null;
  content_type: string;
  size: number;
  sha256: string;
}

/** What started a run at a scheduled time. */
export interface ScheduledTime {
  name: string;
  /** The scheduled time, in ISO 8601. */
  at: string;
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
  /** The schedule that started the run; absent for a request. */
  schedule?: ScheduledTime;
  /** The normalised payload, when the sink names a platform. */
  payload?: unknown;
  /** The requests whose bodies are the list in the body; absent unless the sink collects requests. */
  batch?: CollectedRequest[];
}

/** A request of a batch, without its body. */
export type CollectedRequest = Omit<RequestHead, 'files' | 'schedule' | 'batch'>;

export interface RequestBody {
  kind: BodyKind;
  /** `multipart`: the fields as JSON text. `file`: empty, the bytes are a blob. All others: the raw bytes. */
  bytes: Uint8Array;
  /** Character set of a text or a form; all others are UTF-8. */
  charset: string;
}

/** The stored body without its bytes. */
export interface BodyOutline {
  bodyKind: BodyKind;
  /** In bytes. */
  bodySize: number;
}

/** The value that `$request` selects. */
export interface Request extends RequestHead {
  body: unknown;
}

/** Decodes the body by its kind. Throws SyntaxError or TypeError when the bytes are not of that kind. */
export function decodeBody(body: RequestBody, files: readonly FileHandle[]): unknown {
  const [kind, field] = splitKind(body.kind);
  const value = decodeAs(kind, body, files);
  return field === null ? value : jsonOf((value as Record<string, unknown>)[field]);
}

function splitKind(kind: BodyKind): [kind: PlainKind, field: string | null] {
  const colon = kind.indexOf(':');
  return colon === -1 ? [kind as PlainKind, null] : [kind.slice(0, colon) as PlainKind, kind.slice(colon + 1)];
}

/** A part with a JSON content type has been parsed already. */
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
    case 'batch':
    case 'multipart':
      return parseJson(decodeText(body.bytes, 'utf-8'));
    case 'form':
      return groupPairs(formPairs(body));
    case 'nested-form':
      return nestNames(groupPairs(formPairs(body)));
    case 'text':
      return decodeText(body.bytes, body.charset);
    case 'file':
      return files[0] ?? null;
  }
}

/** Forms stored by older versions may contain escapes that are not in their charset: those decoded escapes as UTF-8. */
function formPairs({ bytes, charset }: RequestBody): Iterable<[string, string]> {
  try {
    return parseForm(bytes, charset);
  } catch (error) {
    if (error instanceof UndecodableField) return new URLSearchParams(decodeText(bytes, charset));
    throw error;
  }
}

/** Returns the pairs as an object; values of a repeated name become an array, in order. */
export function groupPairs<Value>(pairs: Iterable<[string, Value]>): Record<string, Value | Value[]> {
  const grouped = new Map<string, Value[]>();
  for (const [name, value] of pairs) {
    const values = grouped.get(name);
    if (values === undefined) grouped.set(name, [value]);
    else values.push(value);
  }
  return Object.fromEntries([...grouped].map(([name, values]) => [name, values.length === 1 ? (values[0] as Value) : values]));
}
