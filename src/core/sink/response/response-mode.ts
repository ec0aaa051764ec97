// How a trigger is answered: the sink's setting, which the caller may override with `Accept` (RFC 9110) and `Prefer`
// (RFC 7240).

import type { JsonSchema } from '../../schema.ts';
import { isSelector } from '../../workflow/selector.ts';
import type { FormResponse } from './form-setting.ts';

export type SinkResponse =
  /** `isWritten`: the definition sets the mode. Otherwise it is the default. */
  | { mode: 'stream'; isWritten?: true }
  | { mode: 'wait' }
  /** At once, while the run goes on. Without content, the answer names the run. */
  | { mode: 'accept'; status: number; content?: AnswerContent }
  | { mode: 'redirect'; location: string }
  /** As the first respond step of the run says. `waitMs` is null for the usual limit. */
  | { mode: 'respond'; waitMs: number | null }
  | FormResponse
  | ({ mode: 'custom' } & AnswerContent);

export type AcceptResponse = Extract<SinkResponse, { mode: 'accept' }>;

/** Headers and body may contain selectors. */
export interface AnswerContent {
  status: number;
  headers: Record<string, string>;
  body: unknown;
}

const DEFAULT_WAIT_MS = 30_000;
export const MAX_WAIT_MS = 300_000;
/** The strictest providers allow three seconds for the whole exchange. */
export const MAX_PROVIDER_WAIT_MS = 2500;

const modes = ['stream', 'wait', 'accept', 'redirect', 'form', 'custom', 'respond'];

const page: JsonSchema = {
  type: 'string',
  pattern: '^(?:/(?![/\\\\])|https?://)',
  description: 'must be a path that starts with one "/", or an http(s) URL',
};

export const responseSchema: JsonSchema = {
  description: `one of ${modes.join(', ')}, or an object with "mode" and its settings`,
  anyOf: [
    { type: 'string', enum: ['stream', 'wait', 'accept', 'form', 'respond'] },
    {
      type: 'object',
      required: ['mode'],
      additionalProperties: false,
      properties: {
        mode: { type: 'string', enum: modes },
        status: { type: 'integer', minimum: 200, maximum: 599 },
        location: page,
        success: page,
        fault: page,
        pages: { type: 'array', maxItems: 64, items: { type: 'string', maxLength: 2048 } },
        headers: { type: 'object', additionalProperties: { type: 'string' } },
        body: {},
        wait_seconds: { type: 'number', exclusiveMinimum: 0, maximum: MAX_WAIT_MS / 1000 },
      },
    },
  ],
};

/** The answer decided for one trigger. */
export interface Answer {
  response: SinkResponse;
  /** Bounds the modes that wait for the run. */
  waitMs: number;
  /** Value of `Preference-Applied`. */
  preferenceApplied: string | null;
  /** Sent instead when the run takes longer than that. */
  afterWait: AcceptResponse;
  /** Sent instead when the run completes without an answer in mode `respond`. Null: the document of the run. */
  unanswered: AcceptResponse | null;
}

const STREAM: SinkResponse = { mode: 'stream' };
const WAIT: SinkResponse = { mode: 'wait' };
const ACCEPT: AcceptResponse = { mode: 'accept', status: 202 };

/** Whether the answer may be made from the request, which must then be kept until it is sent. */
export function mayUseRequest({ response, afterWait }: Answer): boolean {
  return response.mode === 'custom' || (response.mode === 'accept' && response.content !== undefined) || afterWait.content !== undefined;
}

/** Decides the answer. An explicit preference of the caller wins over the sink's setting. */
export function negotiateAnswer(sinkResponse: SinkResponse, accept: string | undefined, prefer: string | undefined): Answer {
  if (sinkResponse.mode === 'form')
    return { response: sinkResponse, waitMs: 0, preferenceApplied: null, afterWait: ACCEPT, unanswered: null };
  const preference = prefer === undefined ? NO_PREFERENCE : readPreference(prefer);
  const waitMs = preference.waitSeconds === null ? waitOf(sinkResponse) : Math.min(preference.waitSeconds * 1000, MAX_WAIT_MS);
  const preferenceApplied = preference.text;
  if (preference.respondAsync) {
    const response = preference.waitSeconds === null ? ACCEPT : WAIT;
    return { response, waitMs, preferenceApplied, afterWait: ACCEPT, unanswered: null };
  }
  const wished = accept === undefined || accept === '*/*' ? null : preferredMode(accept, sinkResponse);
  const response = wished === null ? sinkResponse : wished === 'stream' ? STREAM : WAIT;
  return { response, waitMs, preferenceApplied, afterWait: ACCEPT, unanswered: null };
}

/** Nobody waits for a run that has the requests of many callers. */
export function batchAnswer(response: SinkResponse): Answer {
  return {
    response: response.mode === 'stream' ? ACCEPT : response,
    waitMs: 0,
    preferenceApplied: null,
    afterWait: ACCEPT,
    unanswered: null,
  };
}

function waitOf(response: SinkResponse): number {
  return (response.mode === 'respond' ? response.waitMs : null) ?? DEFAULT_WAIT_MS;
}

/**
 * Whether a form is answered with a page: a browser navigates, or names HTML. A caller that prefers JSON, or names neither,
 * is a script.
 */
export function isPageWanted(headers: Readonly<Record<string, string | string[] | undefined>>): boolean {
  const ranges = typeof headers['accept'] === 'string' ? readAccept(headers['accept']) : [];
  const best = (isOf: (type: string) => boolean): number =>
    Math.max(0, ...ranges.filter(({ type }) => isOf(type)).map(({ quality }) => quality));
  const html = best((type) => type === 'text/html' || type === 'application/xhtml+xml');
  const json = best(isJson);
  if (json > html) return false;
  return html > 0 || headers['sec-fetch-mode'] === 'navigate' || headers['sec-fetch-dest'] === 'document';
}

const EVENT_STREAM = 'text/event-stream';
const JSON_TYPE = 'application/json';

interface MediaRange {
  type: string;
  /** From 0 (not acceptable) to 1. */
  quality: number;
}

/**
 * Returns the mode whose media type has the highest quality, the earlier one on a tie. Null when neither is named, or
 * when the configured answer is acceptable: many clients list JSON next to a wildcard.
 */
function preferredMode(accept: string, sinkResponse: SinkResponse): 'stream' | 'wait' | null {
  const ranges = readAccept(accept);
  if (isWritten(sinkResponse) && ranges.some(({ type }) => type === '*/*' || isSatisfied(type, sinkResponse))) return null;
  let best: 'stream' | 'wait' | null = null;
  let bestQuality = 0;
  for (const { type, quality } of ranges) {
    const mode = type === EVENT_STREAM ? 'stream' : isJson(type) ? 'wait' : null;
    if (mode !== null && quality > bestQuality) [best, bestQuality] = [mode, quality];
  }
  return best;
}

/** Returns the acceptable ranges. Skips a range whose quality is not a number. */
function readAccept(accept: string): MediaRange[] {
  const ranges = accept.split(',').map((range): MediaRange => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    return { type, quality: Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1) };
  });
  return ranges.filter(({ quality }) => quality > 0);
}

function isJson(type: string): boolean {
  return type === JSON_TYPE || /^application\/[\w.-]+\+json$/.test(type);
}

function isWritten(response: SinkResponse): boolean {
  return response.mode !== 'stream' || response.isWritten === true;
}

/** JSON types satisfy each other: a client that reads one dialect also reads plain JSON. */
function isSatisfied(range: string, response: SinkResponse): boolean {
  const type = contentType(response);
  if (type === 'unknown') return response.mode !== 'respond' || range !== EVENT_STREAM;
  return type !== null && (range === type || range === `${type.split('/')[0]}/*` || (isJson(range) && isJson(type)));
}

/** Media type of a response; null for a redirect, whose content is another page; `unknown` when the run decides. */
function contentType(response: SinkResponse): string | 'unknown' | null {
  if (response.mode === 'stream') return EVENT_STREAM;
  if (response.mode === 'redirect' || response.mode === 'form') return null;
  if (response.mode === 'respond') return 'unknown';
  const content = response.mode === 'custom' ? response : response.mode === 'accept' ? response.content : undefined;
  if (content === undefined) return JSON_TYPE;
  const { headers, body } = content;
  const written = Object.entries(headers).find(([name]) => name.toLowerCase() === 'content-type')?.[1];
  if (isSelector(written ?? body)) return 'unknown';
  if (written !== undefined) return (written.split(';')[0] as string).trim().toLowerCase();
  return typeof body === 'string' ? 'text/plain' : JSON_TYPE;
}

interface Preference {
  respondAsync: boolean;
  waitSeconds: number | null;
  text: string | null;
}

const NO_PREFERENCE: Preference = { respondAsync: false, waitSeconds: null, text: null };

function readPreference(prefer: string): Preference {
  const items = prefer.split(',').map((item) => item.trim().toLowerCase());
  const respondAsync = items.includes('respond-async');
  const wait = items.find((item) => /^wait="?\d{1,9}"?$/.test(item));
  const waitSeconds = wait === undefined ? null : Number(wait.replace(/\D/g, ''));
  const applied = [respondAsync ? 'respond-async' : null, waitSeconds === null ? null : `wait=${waitSeconds}`].filter(
    (item) => item !== null,
  );
  return { respondAsync, waitSeconds, text: applied.length === 0 ? null : applied.join(', ') };
}
