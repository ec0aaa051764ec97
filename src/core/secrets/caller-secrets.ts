// Recognises caller credentials by name. Secrets are removed from all stored or shown parts of a request. Signatures are
// kept for a later check, because they authenticate only one body.

import { MASKED_SECRET } from './placeholder.ts';

/** The credentials of HTTP itself (RFC 9110, RFC 6265): no definition can read them. */
const HTTP_CREDENTIALS = ['authorization', 'proxy-authorization', 'cookie'];

/** Endings of a word that make a name a secret: `x-gitlab-token`, `access_token`, `clientSecret`, `apikey`. */
const ENDINGS = 'token|secret|password|passwd|passphrase|apikey';
const WORDS = 'authorization|bearer|cookie|credentials?|jwt|pwd|pw';
/** A key is a secret when one of these precedes it; other keys name an event, a partition or a message. */
const KEY_OWNERS =
  '[a-z0-9]*api|access|account|admin|app|application|auth|client|functions?|insert|license|master|private|secret|security|' +
  'service|shared|signing|subscription|webhook|write';
/** Secrets whose names do not show it: JSON Web Tokens and principals that proxies add. */
const OTHER_SECRETS = ['x-amzn-oidc-data', 'x-ms-client-principal'];

/** The last word decides: `x-token-signature` is a signature, `x-signature-token` a secret. */
const SIGNATURES = 'signatures?|hmac[a-z0-9]*|sig|mac|digest';
/** Tokens that identify a message or a page. */
const NAMING_TOKENS = '(?:idempotency|deduplication|page|next|continuation|cursor|sync)[^a-z0-9]?token';

const word = (words: string): RegExp => new RegExp(`(?:^|[^a-z0-9])(?:${words})[0-9]*(?:$|[^a-z0-9])`);
const SECRET = word(`[a-z0-9]*(?:${ENDINGS})|${WORDS}|(?:${KEY_OWNERS})[^a-z0-9]?key|auth$`);
const SIGNATURE = word(SIGNATURES);
const NAMING_TOKEN = word(NAMING_TOKENS);
const ENDS_SECRET = new RegExp(`(?:${ENDINGS}|key)[0-9]*$`);
/** A cheap pre-check: most names contain none of these. */
const MAY_BE_SECRET = /token|secret|pass|key|auth|cookie|bearer|credential|jwt|pwd|pw|oidc|principal/;

/** Of a header, in lower case. */
export function isSecretHeader(name: string): boolean {
  return isHttpCredential(name) || (MAY_BE_SECRET.test(name) && (OTHER_SECRETS.includes(name) || isSecretName(name)));
}

/** Of the query: `token`, `api_key`, `accessToken`, `hub.verify_token`. */
export function isSecretParameter(name: string): boolean {
  const words = name.replace(/([a-z0-9])(?=[A-Z])/g, '$1-').toLowerCase();
  return MAY_BE_SECRET.test(words) && isSecretName(words);
}

function isSecretName(name: string): boolean {
  return SECRET.test(name) && !NAMING_TOKEN.test(name) && (ENDS_SECRET.test(name) || !SIGNATURE.test(name));
}

export function isHttpCredential(name: string): boolean {
  return HTTP_CREDENTIALS.includes(name);
}

/** Headers whose value is a URL: of a page, or of a request that a proxy received. */
const ADDRESS_HEADER = /referer|ur[il]$|-path$/;
const NEEDS_CHECK = new RegExp(`${MAY_BE_SECRET.source}|${ADDRESS_HEADER.source}|__proto__`);
/** Headers of nearly every request: a set lookup is ten times as fast as the pattern. */
const PLAIN_HEADERS = new Set(
  'host connection content-type content-length transfer-encoding user-agent accept accept-encoding accept-language'.split(' '),
);

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** Returns the headers that may be stored. The same object when nothing is removed, as in most requests. */
export function keptHeaders(headers: Headers): Record<string, string> {
  for (const name in headers) {
    if (typeof headers[name] !== 'string' || (!PLAIN_HEADERS.has(name) && NEEDS_CHECK.test(name)))
      return filterHeaders(headers, (header) => !isSecretHeader(header));
  }
  return headers as Record<string, string>;
}

/** Returns the headers that the answer may repeat to the caller: a handshake expects its secret back. */
export function echoedHeaders(headers: Headers): Record<string, string> {
  return filterHeaders(headers, (name) => !isHttpCredential(name));
}

function filterHeaders(headers: Headers, isKept: (name: string) => boolean): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (typeof value === 'string' && PLAIN_HEADERS.has(name)) kept[name] = value;
    else if (value !== undefined && name !== '__proto__' && isKept(name)) {
      const text = typeof value === 'string' ? value : value.join(', ');
      kept[name] = ADDRESS_HEADER.test(name) ? hideSecretPairs(text) : text;
    }
  }
  return kept;
}

export function keptQuery<Query extends Readonly<Record<string, unknown>>>(query: Query): Query {
  for (const name in query) {
    if (isSecretParameter(name)) return Object.fromEntries(Object.entries(query).filter(([key]) => !isSecretParameter(key))) as Query;
  }
  return query;
}

/** The text before a value: `?name=` and variants, delimiters and `=` escaped or not. */
const NAMED = /(?:[?&;#]|%(?:3f|26|3b|23))((?:[^?&;#=%\s]|%(?!3f|26|3b|23|3d)[0-9a-f]{2})+)(?:=|%3d)/gi;
const VALUE = /(?:(?!%(?:26|3b|23))[^&;#\s])*/giy;

/** Masks the values of secret parameters in a URL, or in text that contains one. A value may itself contain a URL. */
export function hideSecretPairs(text: string): string {
  const named = new RegExp(NAMED);
  const value = new RegExp(VALUE);
  let shown = '';
  let shownTo = 0;
  for (let found = named.exec(text); found !== null; found = named.exec(text)) {
    if (!isSecretParameter(decodeName(found[1] as string))) continue;
    shown += text.slice(shownTo, named.lastIndex) + MASKED_SECRET;
    value.lastIndex = named.lastIndex;
    value.test(text);
    shownTo = value.lastIndex;
    named.lastIndex = shownTo;
  }
  return shown + text.slice(shownTo);
}

function decodeName(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
