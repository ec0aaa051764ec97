// Builds the message of sluice/http_request@v1 from its settings: address, headers, one body or none, and signature.

import type { BodyPart, HMAC_ALGORITHMS, HMAC_ENCODINGS, HttpMessage, MessageHmac } from '../../core/delivery/outbound.ts';
import { ExactNumber } from '../../core/json/json.ts';
import { stringifyShown } from '../../core/json/stored-value.ts';
import { isDict } from '../../core/python/kind.ts';
import { beginsWithPlaceholder } from '../../core/secrets/placeholder.ts';
import { Base64Fault, decodeBase64 } from '../../core/values/base64.ts';
import { Bytes } from '../../core/values/bytes.ts';
import { addQuery, quotePlus } from '../../core/values/percent-encoding.ts';
import { Timestamp } from '../../core/values/timestamp.ts';
import { receivedFile } from '../shared/received-file.ts';
import { urlFault } from '../shared/request-address.ts';
import { readText, SettingFault } from '../shared/setting-values.ts';
import type { StepContext } from '../step-type.ts';

type Fields = Readonly<Record<string, unknown>>;

export interface HmacSetting {
  header: string;
  secret: unknown;
  algorithm?: (typeof HMAC_ALGORITHMS)[number];
  encoding?: (typeof HMAC_ENCODINGS)[number];
  prefix?: string;
  text?: unknown;
}

export interface RequestSettings {
  url: unknown;
  method?: string;
  query?: Fields;
  headers?: Fields;
  json?: unknown;
  form?: Fields;
  text?: unknown;
  base64?: unknown;
  file?: unknown;
  timeout_seconds?: number;
  accept_statuses?: readonly number[];
  signing_secret?: unknown;
  hmac?: HmacSetting;
}

const BODY_SETTINGS = ['json', 'form', 'text', 'base64', 'file'] as const;
type BodySetting = (typeof BODY_SETTINGS)[number];

export const DEFAULT_METHOD = 'GET';
export const DEFAULT_TIMEOUT_SECONDS = 30;

interface Body {
  part: BodyPart;
  type: string;
}

const UTF8 = new TextEncoder();

/** The settings that define the body; at most one in a valid manifest. */
export function bodySettings(settings: object): BodySetting[] {
  return BODY_SETTINGS.filter((name) => Object.hasOwn(settings, name));
}

/** Throws SettingFault. */
export function requestMessage(settings: RequestSettings, context: Pick<StepContext, 'roots'>): HttpMessage {
  const { url, method = DEFAULT_METHOD, query = {}, headers = {}, timeout_seconds: timeout = DEFAULT_TIMEOUT_SECONDS } = settings;
  const { accept_statuses: accepts = [], signing_secret: signingSecret = null, hmac } = settings;
  const fault = urlFault(url);
  if (fault !== null) throw new SettingFault(fault);
  const [setting] = bodySettings(settings);
  const body = setting === undefined ? null : bodyOf(setting, settings, context);
  return {
    transport: 'http',
    method,
    url: addQuery(url as string, encodeFields('query', query)),
    headers: headersOf(headers, body),
    body: body === null ? null : [body.part],
    timeoutMs: Number(timeout) * 1000,
    redirects: 'refuse',
    succeeds: '2xx',
    accepts: accepts.map(Number),
    signingSecret: signingSecret === null ? null : readSecret('signing_secret', signingSecret),
    ...(hmac === undefined ? {} : { hmac: hmacOf(hmac) }),
  };
}

function bodyOf(setting: BodySetting, settings: RequestSettings, context: Pick<StepContext, 'roots'>): Body {
  switch (setting) {
    case 'json':
      return { part: UTF8.encode(stringifyShown(settings.json)), type: 'application/json' };
    case 'form':
      return { part: UTF8.encode(encodeFields('form', settings.form ?? {})), type: 'application/x-www-form-urlencoded' };
    case 'text':
      return { part: UTF8.encode(readText('text', settings.text)), type: 'text/plain; charset=utf-8' };
    case 'base64':
      return { part: decodedBody(settings.base64), type: 'application/octet-stream' };
    case 'file':
      return fileBody(settings.file, context);
  }
}

function decodedBody(value: unknown): Uint8Array {
  try {
    return decodeBase64(readText('base64', value), 'base64');
  } catch (error) {
    if (error instanceof Base64Fault) throw new SettingFault(`base64 ${error.message}`);
    throw error;
  }
}

function fileBody(value: unknown, context: Pick<StepContext, 'roots'>): Body {
  if (value instanceof Bytes) return { part: value.data, type: 'application/octet-stream' };
  const file = receivedFile(value, context);
  if (file === null) throw new SettingFault('file must be a file that came with the request, or bytes of an operation');
  return { part: { sha256: file.sha256, size: file.size }, type: file.content_type };
}

function headersOf(fields: Fields, body: Body | null): Record<string, string> {
  const headers = readHeaders('headers', fields);
  const hasOwnType = headers.some(([name]) => name.toLowerCase() === 'content-type');
  return Object.fromEntries(body === null || hasOwnType ? headers : [...headers, ['Content-Type', body.type]]);
}

/** Omits null. A header's value is not repeated in a fault: it may be a password. Throws SettingFault. */
export function readHeaders(setting: string, fields: Fields): [name: string, value: string][] {
  const headers: [string, string][] = [];
  for (const [name, value] of Object.entries(fields)) {
    if (value === null) continue;
    const text = scalarText(`${setting}.${name}`, value);
    if (!HEADER_VALUE.test(text)) throw new SettingFault(`${setting}.${name} must be one line of Latin-1 text`);
    headers.push([name, text]);
  }
  return headers;
}

/** The characters that Node allows in a header: a line break would begin another one. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** A list repeats its name, and null is left out. */
function encodeFields(setting: string, fields: Fields): string {
  if (!isDict(fields)) throw new SettingFault(`${setting} must be an object`);
  return Object.entries(fields)
    .flatMap(([name, value]) => (Array.isArray(value) ? value : [value]).map((item: unknown) => [name, item] as const))
    .filter(([, item]) => item !== null)
    .map(([name, item]) => `${quotePlus(name)}=${quotePlus(scalarText(`${setting}.${name}`, item))}`)
    .join('&');
}

function scalarText(setting: string, value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean' || value instanceof ExactNumber) return String(value);
  if (value instanceof Timestamp) return value.isoFormat();
  throw new SettingFault(`${setting} must be text, a number, true or false`);
}

function hmacOf({ header, secret, algorithm = 'sha256', encoding = 'hex', prefix = '', text = null }: HmacSetting): MessageHmac {
  return {
    header: readText('hmac.header', header),
    secret: readSecret('hmac.secret', secret),
    algorithm,
    encoding,
    prefix: readText('hmac.prefix', prefix),
    text: text === null ? null : readText('hmac.text', text),
  };
}

/** Refuses a key that is no secret: it would be stored with the run, and everyone who reads the run could sign. */
export function readSecret(setting: string, value: unknown): string {
  if (typeof value === 'string' && beginsWithPlaceholder(value)) return value;
  const reason = value === null ? 'the secret is not set, or SLUICE_SECRETS_ALLOW does not name it' : 'it selects another value';
  throw new SettingFault(`${setting} must select an output of environment_secrets_store, but ${reason}`);
}
