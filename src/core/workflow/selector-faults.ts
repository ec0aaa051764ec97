// Rejects `$request` selectors that can never match, when a definition is saved.

import type { CollectedRequest, FileHandle, Request, ScheduledTime } from '../run/request.ts';
import { isHttpCredential, isSecretHeader, isSecretParameter } from '../secrets/caller-secrets.ts';
import { isQuoted, readSelector, type SelectorPart } from './selector.ts';
import { leadingNames } from './selector-path.ts';

/** Known facts about the requests that the selector will be resolved with. */
export interface RequestScope {
  /** Names of the path's parameters; null when the requests may come from any sink. */
  params: readonly string[] | null;
  hasPayload: boolean;
  /** Only the answer to the caller may repeat secrets of the request. */
  isAnswer: boolean;
  /** Whether the request is a batch; absent when it may be. */
  isBatch?: boolean;
}

/** A workflow accepts requests of any sink. */
export const ANY_REQUEST: RequestScope = { params: null, hasPayload: true, isAnswer: false };

type Parts = readonly SelectorPart[];
/** `parts` begins with the field itself. */
type FieldCheck = (parts: Parts, scope: RequestScope) => string | null;

/** Null when the selector, whose root is `$request`, may select something. */
export function requestFault(text: string, scope: RequestScope): string | null {
  const parts = readSelector(text)?.parts ?? [];
  const field = parts[0]?.key;
  if (field === undefined) return null;
  if (!Object.hasOwn(FIELDS, field)) return `$request has no "${quotable(field)}"; known are ${Object.keys(FIELDS).join(', ')}`;
  if (scope.isBatch === true && ONLY_COLLECTED.has(field))
    return `a batch has no ${field} of its own: write "$request.batch.0.${field}" for that of its first request`;
  return FIELDS[field as keyof Request](parts, scope);
}

/** What each request of a batch has for itself. */
const ONLY_COLLECTED: ReadonlySet<string> = new Set(['params', 'query', 'headers', 'client_ip', 'payload']);

const MAX_QUOTED = 100;

function quotable(text: string): string {
  return text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text;
}

/** Null when the path selects nothing below a value that has no parts. */
function noParts(what: string, parts: Parts, length: number): string | null {
  return parts.length <= length ? null : `${what} has no parts: nothing is at "${quotable(parts[length]?.key ?? '')}"`;
}

const plainField: FieldCheck = (parts) => noParts(`$request.${parts[0]?.key}`, parts, 1);
const anyValue: FieldCheck = () => null;

const params: FieldCheck = (parts, { params: names }) => {
  const name = parts[1]?.key;
  if (name === undefined) return null;
  if (names !== null && !names.includes(name))
    return `the path has no parameter "${quotable(name)}"; known are ${names.join(', ') || 'none'}`;
  return noParts('a parameter of the path', parts, 2);
};

const query: FieldCheck = (parts, { isAnswer }) => {
  const names = leadingNames(parts, 1).map(({ name }) => name);
  if (isAnswer || names.length === 0 || !names.every(isSecretParameter)) return null;
  return `the query parameter "${quotable(names.at(-1) ?? '')}" is a secret by its name; secrets are not stored, and no workflow can read them`;
};

const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;

const headers: FieldCheck = (parts, { isAnswer }) => {
  const names = leadingNames(parts, 1);
  const name = names.at(-1)?.name;
  if (name === undefined) return null;
  if (names.at(-1)?.next !== parts.length) return `the header "${quotable(name)}" is text, which has no parts`;
  if (name !== name.toLowerCase()) return `names of headers are in lower case: write "${quotable(name.toLowerCase())}"`;
  if (!HEADER_NAME.test(name)) return `"${quotable(name)}" is not a valid header name`;
  if (isHttpCredential(name)) return `the header "${name}" is never shown to anyone`;
  if (!isAnswer && isSecretHeader(name))
    return `the header "${quotable(name)}" is a secret by its name; secrets are not stored, and no workflow can read them`;
  return null;
};

const FILE_FIELDS: Readonly<Record<keyof FileHandle, true>> = { name: true, filename: true, content_type: true, size: true, sha256: true };

const files: FieldCheck = (parts) => {
  const [, position, field] = parts;
  if (position === undefined) return null;
  if (position.key === 'length' && !isQuoted(position)) return noParts('a length', parts, 2);
  if (!/^(?:0|[1-9]\d*)$/.test(position.key))
    return `$request.files is a list: write $request.files.0, or take a file by its name as an input`;
  if (field === undefined) return null;
  if (!Object.hasOwn(FILE_FIELDS, field.key))
    return `a file has no "${quotable(field.key)}"; known are ${Object.keys(FILE_FIELDS).join(', ')}`;
  return noParts(`a file's ${field.key}`, parts, 3);
};

const payload: FieldCheck = (_parts, { hasPayload }) =>
  hasPayload ? null : 'the sink has no "payload", so that $request.payload is never there';

const SCHEDULE_FIELDS: Readonly<Record<keyof ScheduledTime, true>> = { name: true, at: true };

const schedule: FieldCheck = (parts) => {
  const [, field] = parts;
  if (field === undefined) return null;
  if (!Object.hasOwn(SCHEDULE_FIELDS, field.key))
    return `$request.schedule has no "${quotable(field.key)}"; known are ${Object.keys(SCHEDULE_FIELDS).join(', ')}`;
  return noParts(`$request.schedule.${field.key}`, parts, 2);
};

const COLLECTED_FIELDS: Readonly<Record<keyof CollectedRequest, true>> = {
  method: true,
  path: true,
  params: true,
  query: true,
  headers: true,
  content_type: true,
  client_ip: true,
  received_at: true,
  payload: true,
};

const batch: FieldCheck = (parts, { isBatch }) => {
  const [, position, field] = parts;
  if (isBatch === false) return 'the sink has no "flow.batch", so that $request.batch is never there';
  if (position === undefined) return null;
  if (position.key === 'length' && !isQuoted(position)) return noParts('a length', parts, 2);
  if (!/^(?:0|[1-9]\d*)$/.test(position.key)) return '$request.batch is a list: write $request.batch.0';
  if (field === undefined || Object.hasOwn(COLLECTED_FIELDS, field.key)) return null;
  if (field.key === 'body') return 'the bodies of a batch are the list $request.body: write $request.body.0';
  return `a request of a batch has no "${quotable(field.key)}"; known are ${Object.keys(COLLECTED_FIELDS).join(', ')}`;
};

const FIELDS: Readonly<Record<keyof Request, FieldCheck>> = {
  method: plainField,
  path: plainField,
  params,
  query,
  headers,
  body: anyValue,
  content_type: plainField,
  files,
  client_ip: plainField,
  received_at: plainField,
  schedule,
  payload,
  batch,
};
