// How a trigger is answered: the sink's own setting, and what the caller may choose instead by `Accept` (RFC 9110)
// and `Prefer` (RFC 7240).

import type { Fault } from './fault.ts';
import type { JsonSchema } from './schema.ts';
import { findSelectors, parseSelector } from './selector.ts';

export type SinkResponse =
  | { mode: 'stream' }
  | { mode: 'wait' }
  | { mode: 'accept'; status: 200 | 202 }
  | { mode: 'redirect'; location: string }
  | { mode: 'custom'; status: number; headers: Record<string, string>; body: unknown };

/** The answer decided for one trigger. */
export interface Answer {
  response: SinkResponse;
  /** Bounds the modes that wait for the run. */
  waitMs: number;
  /** What `Preference-Applied` says. */
  preferenceApplied: string | null;
}

const STREAM: SinkResponse = { mode: 'stream' };
const WAIT: SinkResponse = { mode: 'wait' };
const ACCEPT: SinkResponse = { mode: 'accept', status: 202 };

const DEFAULT_WAIT_MS = 30_000;
const MAX_WAIT_MS = 300_000;

const modes = ['stream', 'wait', 'accept', 'redirect', 'custom'];

export const responseSchema: JsonSchema = {
  description: `one of ${modes.join(', ')}, or an object with "mode" and its settings`,
  anyOf: [
    { type: 'string', enum: ['stream', 'wait', 'accept'] },
    {
      type: 'object',
      required: ['mode'],
      additionalProperties: false,
      properties: {
        mode: { type: 'string', enum: modes },
        status: { type: 'integer', minimum: 200, maximum: 599 },
        location: {
          type: 'string',
          pattern: '^(?:/(?![/\\\\])|https?://)',
          description: 'must be a path that starts with one "/", or an http(s) URL',
        },
        headers: { type: 'object', additionalProperties: { type: 'string' } },
        body: {},
      },
    },
  ],
};

interface ResponseSetting {
  mode: SinkResponse['mode'];
  status?: number;
  location?: string;
  headers?: Record<string, string>;
  body?: unknown;
}

const fieldsOf: Record<SinkResponse['mode'], readonly (keyof ResponseSetting)[]> = {
  stream: [],
  wait: [],
  accept: ['status'],
  redirect: ['location'],
  custom: ['status', 'headers', 'body'],
};

const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const FRAMING_HEADERS = new Set([
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'upgrade',
  'trailer',
  'te',
  'x-run-id',
]);

const BODY_ROOTS = new Set(['output', 'run', 'request']);

/** What the schema cannot say: which settings belong to which mode, and which headers an answer may set. */
export function responseFaults(setting: unknown): Fault[] {
  if (setting === undefined || setting === null || typeof setting === 'string') return [];
  const { mode, ...settings } = setting as ResponseSetting;
  const faults: Fault[] = Object.keys(settings)
    .filter((name) => !fieldsOf[mode].includes(name as keyof ResponseSetting))
    .map((name) => ({ path: `response.${name}`, message: `does not belong to mode "${mode}"` }));
  if (mode === 'redirect' && settings.location === undefined) faults.push({ path: 'response', message: 'field "location" is missing' });
  if (mode === 'accept' && ![undefined, 200, 202].includes(settings.status))
    faults.push({ path: 'response.status', message: 'must be 200 or 202' });
  for (const [name, value] of Object.entries(settings.headers ?? {})) {
    const path = `response.headers.${name}`;
    if (!HEADER_NAME.test(name)) faults.push({ path, message: 'is no header name' });
    else if (FRAMING_HEADERS.has(name.toLowerCase())) faults.push({ path, message: 'is set by the server itself' });
    if (!HEADER_VALUE.test(value)) faults.push({ path, message: 'holds a character that a header cannot carry' });
  }
  for (const text of findSelectors(settings.body)) {
    if (!BODY_ROOTS.has(parseSelector(text)?.root ?? ''))
      faults.push({
        path: 'response.body',
        message: `"${text}" selects nothing; write $output.x, $run.id or $request.x, or "$$" for a literal "$"`,
      });
  }
  return faults;
}

/** Reads a setting that has no faults. */
export function readResponse(setting: unknown): SinkResponse {
  const given: ResponseSetting =
    typeof setting === 'string' ? { mode: setting as 'stream' } : ((setting as ResponseSetting | null | undefined) ?? { mode: 'stream' });
  switch (given.mode) {
    case 'accept':
      return { mode: 'accept', status: given.status === 200 ? 200 : 202 };
    case 'redirect':
      return { mode: 'redirect', location: given.location ?? '/' };
    case 'custom':
      return { mode: 'custom', status: given.status ?? 200, headers: given.headers ?? {}, body: given.body ?? null };
    default:
      return { mode: given.mode };
  }
}

/** Decides the answer. The caller's explicit wish wins over the sink's setting; `*` wishes for nothing. */
export function negotiateAnswer(sinkResponse: SinkResponse, accept: string | undefined, prefer: string | undefined): Answer {
  const preference = prefer === undefined ? NO_PREFERENCE : readPreference(prefer);
  const waitMs = Math.min(preference.waitSeconds === null ? DEFAULT_WAIT_MS : preference.waitSeconds * 1000, MAX_WAIT_MS);
  const preferenceApplied = preference.text;
  if (preference.respondAsync) return { response: preference.waitSeconds === null ? ACCEPT : WAIT, waitMs, preferenceApplied };
  const wished = accept === undefined || accept === '*/*' ? null : wishedMode(accept);
  const response = wished === null ? sinkResponse : wished === 'stream' ? STREAM : WAIT;
  return { response, waitMs, preferenceApplied };
}

/** The mode whose media type has the highest quality, the earlier one on a tie; null when neither is named. */
function wishedMode(accept: string): 'stream' | 'wait' | null {
  let best: 'stream' | 'wait' | null = null;
  let bestQuality = 0;
  for (const range of accept.split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const mode =
      type === 'text/event-stream' ? 'stream' : type === 'application/json' || /^application\/[\w.-]+\+json$/.test(type) ? 'wait' : null;
    const quality = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1);
    if (mode !== null && quality > bestQuality) [best, bestQuality] = [mode, quality];
  }
  return best;
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
