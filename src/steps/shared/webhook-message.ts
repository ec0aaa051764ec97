// Builds the request of a webhook sink as Python's requests does: the choice of body, its encoding, and the order of
// the checks.

import type { BodyPart, HttpMessage } from '../../core/delivery/outbound.ts';
import { encodeMultipart, type Part } from '../../core/form/multipart-writer.ts';
import { encodePairs, scalarsOf } from '../../core/python/form-encoding.ts';
import { pythonJson } from '../../core/python/json-text.ts';
import { classText, typeName } from '../../core/python/kind.ts';
import { reprOf, strOf } from '../../core/python/text.ts';
import type { FileHandle } from '../../core/run/request.ts';
import { beginsWithPlaceholder } from '../../core/secrets/placeholder.ts';
import { Bytes } from '../../core/values/bytes.ts';
import { addQuery } from '../../core/values/percent-encoding.ts';
import { parseUrl } from '../../parse-url.ts';

export interface WebhookRequest {
  method: string;
  url: unknown;
  query: Readonly<Record<string, unknown>>;
  headers: Readonly<Record<string, unknown>>;
  json: Readonly<Record<string, unknown>>;
  form: Readonly<Record<string, unknown>>;
  files: Readonly<Record<string, unknown>>;
  timeoutSeconds: number;
  signingSecret: string | null;
}

export interface MessageTools {
  /** 32 hexadecimal digits. */
  boundary: () => string;
  /** Returns the received file that a value is a handle of; null for any other value, look-alikes included. */
  fileOf: (value: unknown) => FileHandle | null;
}

/** Thrown when the request cannot be sent; the message is that of Python's requests. */
export class UnsendableRequest extends Error {}

const UTF8 = new TextEncoder();

/** Throws UnsendableRequest. */
export function webhookMessage(request: WebhookRequest, tools: MessageTools): HttpMessage {
  const url = readUrl(request.url);
  const headers = readHeaders(request.headers);
  const { body, contentType } = encodeBody(request, tools);
  refuseOtherSchemes(url);
  const { timeoutSeconds } = request;
  if (timeoutSeconds <= 0) {
    throw new UnsendableRequest(
      `Attempted to set connect timeout to ${timeoutSeconds}, but the timeout cannot be set to a value less than or equal to 0.`,
    );
  }
  refuseBeyondLatin1(headers);
  const hasOwnType = Object.keys(headers).some((name) => name.toLowerCase() === 'content-type');
  return {
    transport: 'http',
    method: request.method,
    url: addQuery(url, encodePairs(request.query)),
    headers: hasOwnType ? headers : { ...headers, 'Content-Type': contentType },
    body,
    timeoutMs: timeoutSeconds * 1000,
    redirects: 'as_requests',
    succeeds: 'unless_error',
    signingSecret: request.signingSecret,
  };
}

/** Throws UnsendableRequest for an address that is neither HTTP nor a secret. */
export function readAddress(value: unknown): string {
  const url = readUrl(value);
  refuseOtherSchemes(url);
  return url;
}

function refuseOtherSchemes(url: string): void {
  if (!/^https?:/i.test(url) && !beginsWithPlaceholder(url))
    throw new UnsendableRequest(`No connection adapters were found for ${reprOf(url)}`);
}

function readUrl(value: unknown): string {
  const url = strOf(value).trimStart();
  if (beginsWithPlaceholder(url)) return url;
  // requests treats text with a colon that does not begin with "http" as another scheme, which fails later.
  if (url.includes(':') && !url.toLowerCase().startsWith('http')) return url;
  if (!/^[A-Za-z][A-Za-z0-9+.-]*:/.test(url)) {
    throw new UnsendableRequest(`Invalid URL ${reprOf(url)}: No scheme supplied. Perhaps you meant https://${url}?`);
  }
  if (/^https?:(?!\/\/[^/?#])/i.test(url)) throw new UnsendableRequest(`Invalid URL ${reprOf(url)}: No host supplied`);
  if (/^https?:/i.test(url) && parseUrl(url) === null) throw new UnsendableRequest(`Failed to parse: ${url}`);
  return url;
}

/** Omits null. Writes numbers and booleans as Python's `str()`, although requests rejects them. */
export function readHeaders(fields: Readonly<Record<string, unknown>>): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value === null || value === undefined) continue;
    if (!/^[^:\s][^:\r\n]*$/.test(name)) throw invalidHeader('name', name);
    if (typeof value === 'object' && !isScalar(value)) {
      throw new UnsendableRequest(
        `Header part (${reprOf(value)}) from (${reprOf(name)}, ${reprOf(value)}) must be of type str or bytes, not ${classText(value)}`,
      );
    }
    const text = strOf(value);
    if (text !== '' && !/^\S[^\r\n]*$/.test(text)) throw invalidHeader('value', text);
    headers[name] = text;
  }
  return headers;
}

const isScalar = (value: unknown): boolean => ['int', 'float', 'bool', 'str'].includes(typeName(value));

function invalidHeader(part: 'name' | 'value', text: string): UnsendableRequest {
  return new UnsendableRequest(
    `Invalid leading whitespace, reserved character(s), or return character(s) in header ${part}: ${reprOf(text)}`,
  );
}

/** Throws UnsendableRequest. */
export function refuseBeyondLatin1(headers: Readonly<Record<string, string>>): void {
  for (const value of Object.values(headers)) {
    const characters = [...value];
    const start = characters.findIndex(isBeyondLatin1);
    if (start === -1) continue;
    let end = start + 1;
    while (end < characters.length && isBeyondLatin1(characters[end] as string)) end += 1;
    const what =
      end - start === 1
        ? `character '${escaped(characters[start] as string)}' in position ${start}`
        : `characters in position ${start}-${end - 1}`;
    throw new UnsendableRequest(`'latin-1' codec can't encode ${what}: ordinal not in range(256)`);
  }
}

const isBeyondLatin1 = (character: string): boolean => (character.codePointAt(0) as number) > 255;

function escaped(character: string): string {
  const code = character.codePointAt(0) as number;
  return code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
}

interface EncodedBody {
  body: readonly BodyPart[];
  contentType: string;
}

/** Files take precedence over a form, and a form over JSON, which is then dropped. JSON is sent even if it is empty. */
function encodeBody({ files, form, json }: WebhookRequest, tools: MessageTools): EncodedBody {
  if (Object.keys(files).length > 0) {
    const boundary = tools.boundary();
    const parts = [...fieldParts(form), ...fileParts(files, tools.fileOf)];
    return { body: encodeMultipart(parts, boundary), contentType: `multipart/form-data; boundary=${boundary}` };
  }
  if (Object.keys(form).length > 0) {
    const text = encodePairs(form);
    return { body: text === '' ? [] : [UTF8.encode(text)], contentType: 'application/x-www-form-urlencoded' };
  }
  try {
    return { body: [UTF8.encode(pythonJson(json))], contentType: 'application/json' };
  } catch (error) {
    throw new UnsendableRequest((error as Error).message);
  }
}

function fieldParts(form: Readonly<Record<string, unknown>>): Part[] {
  return Object.entries(form).flatMap(([name, value]) =>
    scalarsOf(value).map((item) => ({ name, filename: null, contentType: null, headers: {}, content: contentOf(item, strOf) })),
  );
}

/** A list is requests' tuple: file name, content, and optionally content type and headers. */
function fileParts(files: Readonly<Record<string, unknown>>, fileOf: MessageTools['fileOf']): Part[] {
  return Object.entries(files).flatMap(([name, value]): Part[] => {
    const file = fileOf(value);
    if (file !== null) {
      const { filename, content_type: contentType, sha256, size } = file;
      return [{ name, filename: filename ?? name, contentType, headers: {}, content: { sha256, size } }];
    }
    const tuple = Array.isArray(value) ? readTuple(value) : { filename: name, content: value, contentType: null, headers: {} };
    return tuple.content === null ? [] : [{ name, ...tuple, content: contentOf(tuple.content, fileText) }];
  });
}

function readTuple(tuple: readonly unknown[]): {
  filename: string | null;
  content: unknown;
  contentType: string | null;
  headers: Record<string, string>;
} {
  if (tuple.length < 2) throw new UnsendableRequest(`not enough values to unpack (expected 4, got ${tuple.length})`);
  if (tuple.length > 4) throw new UnsendableRequest('too many values to unpack (expected 4)');
  const [filename, content, contentType = null, headers = null] = tuple;
  const extra = Object.entries((headers ?? {}) as Record<string, unknown>).map(([name, value]) => [name, strOf(value)]);
  return {
    filename: filename === null ? null : strOf(filename),
    content: content ?? null,
    contentType: contentType === null ? null : strOf(contentType),
    headers: Object.fromEntries(extra) as Record<string, string>,
  };
}

function contentOf(value: unknown, textOf: (value: unknown) => string): Uint8Array {
  return value instanceof Bytes ? value.data : UTF8.encode(textOf(value));
}

/** Like urllib3, accepts only text and integers as file content that is not bytes. */
function fileText(value: unknown): string {
  const type = typeName(value);
  if (type === 'str' || type === 'int' || type === 'bool') return strOf(value);
  throw new UnsendableRequest(`a bytes-like object is required, not '${type}'`);
}
