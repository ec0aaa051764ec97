// What a search of runs looks for. It looks only at what the admin API shows of a run: otherwise somebody could guess a masked
// value letter by letter.

import { keptHeaders } from '../secrets/caller-secrets.ts';
import { MASKED_SECRET, replacePlaceholders, withoutCutPlaceholder } from '../secrets/placeholder.ts';
import { decodeText } from '../values/charset.ts';
import type { RunError } from './run.ts';

export const SEARCHED_PARTS = ['body', 'output', 'error', 'headers'] as const;
export type SearchedPart = (typeof SEARCHED_PARTS)[number];

/** A search looks at the beginning of a body, in bytes, and of an output, in characters. */
export const MAX_SEARCHED = 2 ** 20;
/** In bytes, in any character set. */
const LONGEST_CHARACTER = 4;

export interface RunCriteria {
  workflowId?: string;
  clientIp?: string;
  /** The id of the run whose request is replayed. */
  replayOf?: string;
  /** Any of the parts contains this text, in upper or lower case. */
  text?: { text: string; parts: readonly SearchedPart[] };
}

/** Of a stored run. Body and output may be cut at `MAX_SEARCHED`. */
export interface SearchedRun {
  workflowId: string | null;
  /** Of a batch, that of its first request. */
  clientIp: string;
  headers: Record<string, string>;
  replayOf: string | null;
  bodyCharset: string;
  body: Uint8Array;
  output: string | null;
  error: RunError | null;
}

export function createRunMatcher({ workflowId, clientIp, replayOf, text }: RunCriteria): (run: SearchedRun) => boolean {
  const wanted = text?.text.toLowerCase() ?? '';
  const contains = (shown: string): boolean => shown.toLowerCase().includes(wanted);
  return (run) =>
    (workflowId === undefined || run.workflowId === workflowId) &&
    (clientIp === undefined || run.clientIp === clientIp) &&
    (replayOf === undefined || run.replayOf === replayOf) &&
    (text === undefined || text.parts.some((part) => SHOWN[part](run).some(contains)));
}

/** The texts of each part, as they are shown. */
const SHOWN: Readonly<Record<SearchedPart, (run: SearchedRun) => readonly string[]>> = {
  body: ({ body, bodyCharset }) => [decodeBeginning(body, bodyCharset)],
  output: ({ output }) => (output === null ? [] : [maskPlaceholders(beginningOf(output))]),
  error: ({ error }) => (error === null ? [] : [error.code, maskPlaceholders(error.message)]),
  // Requests stored by an older version still contain secrets.
  headers: ({ headers }) => Object.entries(keptHeaders(headers)).map(([name, value]) => `${name}: ${value}`),
};

/** Masks also what only looks like a placeholder, because a search has no key to verify one. */
function maskPlaceholders(text: string): string {
  return replacePlaceholders(text, () => MASKED_SECRET);
}

function beginningOf(output: string): string {
  return output.length < MAX_SEARCHED ? output : withoutCutPlaceholder(output.slice(0, MAX_SEARCHED));
}

/** Leaves out a character that the cut has split. */
function decodeBeginning(body: Uint8Array, charset: string): string {
  const bytes = body.subarray(0, MAX_SEARCHED);
  const tries = bytes.byteLength === MAX_SEARCHED ? LONGEST_CHARACTER : 1;
  for (let split = 0; split < tries; split += 1) {
    try {
      return decodeText(bytes.subarray(0, bytes.byteLength - split), charset);
    } catch {}
  }
  return '';
}
