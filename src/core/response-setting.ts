// The `response` setting of a sink: what may be written, what is wrong with it, and what it means.

import type { Fault } from './fault.ts';
import type { SinkResponse } from './response-mode.ts';
import { findSelectors, parseSelector } from './selector.ts';

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
  if (setting === undefined || setting === null) return { mode: 'stream' };
  const given = typeof setting === 'string' ? { mode: setting as 'stream' } : (setting as ResponseSetting);
  switch (given.mode) {
    case 'stream':
      return { mode: 'stream', isWritten: true };
    case 'accept':
      return { mode: 'accept', status: given.status === 200 ? 200 : 202 };
    case 'redirect':
      return { mode: 'redirect', location: given.location ?? '/' };
    case 'custom':
      return { mode: 'custom', status: given.status ?? 200, headers: given.headers ?? {}, body: given.body ?? null };
    case 'wait':
      return { mode: 'wait' };
  }
}
