// The headers that a sink may set in its own answer, and how a value from a run is made safe to send.

import { parseUrl } from '../../../parse-url.ts';
import { ExactNumber, stringifyJson } from '../../json/json.ts';

const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
const WRITTEN_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** Framing and connection headers: only the server sets them. */
const FRAMING = ['content-length', 'transfer-encoding', 'connection', 'keep-alive', 'upgrade', 'trailer', 'te', 'x-run-id'];
/** Headers that affect the whole site in a browser: one workflow must not set them for its neighbours. */
const SITE_WIDE = new RegExp(
  '^(?:access-control-.*|cross-origin-.*|sec-.*|.*-policy(?:-report-only)?|set-cookie2?|clear-site-data|strict-transport-security|' +
    'x-frame-options|x-content-type-options|x-xss-protection|x-permitted-cross-domain-policies|nel|report-to|reporting-endpoints|' +
    'service-worker-allowed|origin-agent-cluster|alt-svc|timing-allow-origin|accept-ch|public-key-pins.*|expect-ct)$',
);

/** Null when an answer may set the header. */
export function headerNameFault(name: string): string | null {
  const key = name.toLowerCase();
  if (!HEADER_NAME.test(name)) return 'is not a valid header name';
  if (FRAMING.includes(key)) return 'is set by the server itself';
  if (SITE_WIDE.test(key))
    return 'rules more than this answer: cookies, policies, CORS and what else holds for the whole site cannot be set';
  return null;
}

/** Null when the text can be sent unchanged. */
export function headerValueFault(name: string, value: string): string | null {
  if (name.toLowerCase() === 'location') return locationFault(value);
  return WRITTEN_VALUE.test(value) ? null : 'holds a character that a header cannot carry';
}

/** Longer values are rejected by most servers and proxies. */
const MAX_SELECTED_BYTES = 8192;

/**
 * Returns the header value to send. Null omits the header: nothing was selected, the value is too long, or it is not a
 * valid location. Control characters become spaces (RFC 9110, 5.5); text beyond Latin-1 is sent as UTF-8 bytes.
 */
export function selectedHeader(name: string, value: unknown): string | null {
  if (value === null || value === undefined) return null;
  const isPlain = typeof value !== 'object' || value instanceof ExactNumber;
  const text = (isPlain ? String(value) : stringifyJson(value)).slice(0, MAX_SELECTED_BYTES + 1);
  if (name.toLowerCase() === 'location') return locationFault(text) === null ? withinLimit(encodeLocation(text)) : null;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
  const line = text.replace(/[\u0000-\u0008\u000a-\u001f\u007f]/g, ' ').trim();
  return withinLimit(/[\u0100-\uffff]/.test(line) ? latin1OfUtf8(line) : line);
}

function withinLimit(text: string): string | null {
  return text.length > MAX_SELECTED_BYTES ? null : text;
}

function latin1OfUtf8(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join('');
}

const LOCATION = /^(?:\/(?![/\\])|https?:\/\/)/;

/** Null for a path that starts with one `/`, and for an http(s) URL. */
export function locationFault(location: string): string | null {
  if (!LOCATION.test(location)) return 'must be a path that starts with one "/", or an http(s) URL';
  return location.startsWith('/') || parseUrl(location) !== null ? null : 'is not a URL';
}

/** Percent-encodes characters that a URL cannot contain and converts host names to Punycode; the rest is unchanged. */
export function encodeLocation(location: string): string {
  if (/^[\x21-\x7e]*$/.test(location) && !location.includes('\\')) return location;
  if (!location.startsWith('/') && parseUrl(location) !== null) return new URL(location).href;
  // A lone surrogate becomes U+FFFD in the UTF-8 round trip.
  const text = new TextDecoder().decode(new TextEncoder().encode(location));
  return text.replace(/[^\x21-\x7e]|\\/gu, encodeURIComponent);
}
