// The `response` setting of a sink: its fields, its validation, and its meaning.

import { findPreset } from '../../../presets/table.ts';
import type { Fault } from '../../fault.ts';
import { findSelectors, isSelector, readSelector, type SelectorPart } from '../../workflow/selector.ts';
import { type RequestScope, requestFault } from '../../workflow/selector-faults.ts';
import { leadingNames } from '../../workflow/selector-path.ts';
import type { AuthDefinition, SinkAuth } from '../auth/sink-auth.ts';
import { encodeLocation, headerNameFault, headerValueFault, locationFault } from './answer-headers.ts';
import { type FormResponseDocument, formResponseFaults, readFormResponse, writeFormResponse } from './form-setting.ts';
import { type AnswerContent, MAX_PROVIDER_WAIT_MS, type SinkResponse } from './response-mode.ts';

interface ResponseSetting extends FormResponseDocument {
  mode: SinkResponse['mode'];
  status?: number;
  location?: string;
  headers?: Record<string, string>;
  body?: unknown;
  wait_seconds?: number;
}

const fieldsOf: Record<SinkResponse['mode'], readonly (keyof ResponseSetting)[]> = {
  stream: [],
  wait: [],
  accept: ['status', 'headers', 'body'],
  redirect: ['location'],
  form: ['success', 'fault', 'pages'],
  custom: ['status', 'headers', 'body'],
  respond: ['wait_seconds'],
};

/** What selectors in the answer can reach. */
export interface AnswerScope extends Omit<RequestScope, 'isAnswer'> {
  /** Names in the output of a run; null when its workflow decides them. */
  outputs: readonly string[] | null;
}

/** Checks beyond the schema: which settings belong to which mode, and which headers an answer may set. */
export function responseFaults(setting: unknown, scope: AnswerScope): Fault[] {
  if (setting === undefined || setting === null || typeof setting === 'string') return [];
  const { mode, ...settings } = setting as ResponseSetting;
  const faults: Fault[] = Object.keys(settings)
    .filter((name) => !fieldsOf[mode].includes(name as keyof ResponseSetting))
    .map((name) => ({ path: `response.${name}`, message: `does not belong to mode "${mode}"` }));
  const add = (path: string, message: string | null): void => {
    if (message !== null) faults.push({ path, message });
  };
  if (mode === 'redirect' && settings.location === undefined) add('response', 'field "location" is missing');
  if (mode === 'accept') add('response.status', acceptStatusFault(settings));
  if (mode === 'form') faults.push(...formResponseFaults(settings));
  if (settings.location !== undefined) add('response.location', locationFault(settings.location));
  for (const [name, value] of Object.entries(settings.headers ?? {})) {
    add(`response.headers.${name}`, headerNameFault(name));
    add(`response.headers.${name}`, isSelector(value) ? answerFault(value, scope, mode) : headerValueFault(name, literal(value)));
  }
  for (const text of findSelectors(settings.body)) add('response.body', answerFault(text, scope, mode));
  return faults;
}

/** Without content, the answer is a document about the run. */
function acceptStatusFault({ status = 202, headers, body }: Omit<ResponseSetting, 'mode'>): string | null {
  if (headers === undefined && body === undefined)
    return status === 200 || status === 202 ? null : 'must be 200 or 202, or stand beside "body"';
  return status < 300 ? null : 'must be from 200 to 299: the run has started';
}

/** `$$x` stands for the text `$x`. */
function literal(text: string): string {
  return text.startsWith('$$') ? text.slice(1) : text;
}

function answerFault(text: string, scope: AnswerScope, mode: SinkResponse['mode']): string | null {
  const selector = readSelector(text);
  if (mode === 'accept' && selector?.root === 'output')
    return `"${text}" is not known yet: mode "accept" answers before the run ends; write mode "custom"`;
  const fault = selector === null ? undefined : ANSWER_ROOTS[selector.root]?.(text, selector.parts, scope);
  if (fault === undefined) return `"${text}" selects nothing; write $output.x, $run.id or $request.x, or "$$" for a literal "$"`;
  return fault === null ? null : `"${text}" can never select anything: ${fault}`;
}

const ANSWER_ROOTS: Readonly<Record<string, (text: string, parts: readonly SelectorPart[], scope: AnswerScope) => string | null>> = {
  output(_text, parts, { outputs }) {
    const names = leadingNames(parts, 0).map(({ name }) => name);
    if (outputs === null || names.length === 0 || names.some((name) => outputs.includes(name))) return null;
    return `without a workflow the output holds ${outputs.join(', ')} alone`;
  },
  run: (_text, parts) =>
    parts.length === 0 || (parts.length === 1 && parts[0]?.key === 'id') ? null : '$run has its id alone: write $run.id',
  request: (text, _parts, scope) => requestFault(text, { ...scope, isAnswer: true }),
};

/** Checks what a webhook provider can be answered with. */
export function providerFaults(auth: AuthDefinition | SinkAuth | null, response: SinkResponse): Fault[] {
  const provider = auth?.type === 'scheme' ? findPreset(auth.scheme)?.id : undefined;
  if (provider === undefined) return [];
  if (response.mode === 'form') return [{ path: 'response', message: `cannot be "form": ${provider} sends no form of a website` }];
  if (response.mode === 'stream' && response.isWritten === true) {
    const message = `cannot be "stream": ${provider} reads one answer and no stream; leave it out for the answer that ${provider} expects`;
    return [{ path: 'response', message }];
  }
  if (response.mode === 'respond' && (response.waitMs ?? 0) > MAX_PROVIDER_WAIT_MS) {
    const message = `must be at most ${MAX_PROVIDER_WAIT_MS / 1000}: a provider that waits longer may send the message again`;
    return [{ path: 'response.wait_seconds', message }];
  }
  return [];
}

/** Reads a setting that has no faults. */
export function readResponse(setting: unknown): SinkResponse {
  if (setting === undefined || setting === null) return { mode: 'stream' };
  const given = typeof setting === 'string' ? { mode: setting as 'stream' } : (setting as ResponseSetting);
  switch (given.mode) {
    case 'stream':
      return { mode: 'stream', isWritten: true };
    case 'accept':
      return readAccept(given);
    case 'redirect':
      return { mode: 'redirect', location: encodeLocation(given.location ?? '/') };
    case 'form':
      return readFormResponse(given);
    case 'custom':
      return { mode: 'custom', ...readContent(given, 200) };
    case 'wait':
      return { mode: 'wait' };
    case 'respond':
      return { mode: 'respond', waitMs: given.wait_seconds === undefined ? null : given.wait_seconds * 1000 };
  }
}

/** The setting as definitions write it. */
export function writeResponse(response: SinkResponse): object | string {
  if (response.mode === 'form') return writeFormResponse(response);
  if (response.mode === 'respond')
    return { mode: 'respond', ...(response.waitMs === null ? {} : { wait_seconds: response.waitMs / 1000 }) };
  if (response.mode !== 'accept' || response.content === undefined) return response;
  return { mode: 'accept', ...response.content };
}

function readAccept(given: ResponseSetting): SinkResponse {
  const { status = 202, headers, body } = given;
  return headers === undefined && body === undefined
    ? { mode: 'accept', status }
    : { mode: 'accept', status, content: readContent(given, 202) };
}

function readContent({ status, headers = {}, body = null }: ResponseSetting, usualStatus: number): AnswerContent {
  return { status: status ?? usualStatus, headers: readHeaders(headers), body };
}

function readHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const encode = (name: string, value: string): string =>
    name.toLowerCase() === 'location' && !isSelector(value) ? encodeLocation(value) : value;
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, encode(name, value)]));
}
