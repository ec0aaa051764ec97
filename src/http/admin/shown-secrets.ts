// Masks possible secrets for display: values of headers with secret names, query values, user and password of an address,
// and secrets of the environment.

import { MASKED_SECRET } from '../../core/secrets/placeholder.ts';
import { parseUrl } from '../../parse-url.ts';

/** Masks the secrets in a text of a run. */
export type MaskSecrets = (runId: string, text: string) => string;

const SECRET_NAME = /authorization|cookie|token|secret|key|password|signature/i;
/** Headers whose value is an address, or a path with a query. */
const ADDRESS_HEADERS: readonly string[] = ['location', 'content-location', 'referer'];

export function shownHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, maskValue(name, value)]));
}

function maskValue(name: string, value: string): string {
  if (SECRET_NAME.test(name)) return MASKED_SECRET;
  return ADDRESS_HEADERS.includes(name.toLowerCase()) ? shownAddress(value) : value;
}

/** Removes user, password and fragment, and masks query values. */
export function shownAddress(text: string): string {
  const [address = '', query] = (text.split('#')[0] as string).split(/\?(.*)/s);
  return withoutUser(address) + (query === undefined ? '' : `?${query.split('&').map(maskPair).join('&')}`);
}

/** A receiver may accept an invalid URL, so what looks like a user is removed from it as well. */
function withoutUser(address: string): string {
  const url = parseUrl(address);
  if (url === null || !/^https?:$/.test(url.protocol)) return address.replace(/^([^/\\@]*[/\\]{2,})?[^/\\]*@/, '$1');
  if (url.username === '' && url.password === '') return address;
  url.username = '';
  url.password = '';
  return url.href;
}

/** A part without a name may be a secret as a whole. */
function maskPair(pair: string): string {
  const name = pair.split('=')[0] as string;
  return pair.includes('=') ? `${name}=${MASKED_SECRET}` : pair === '' ? '' : MASKED_SECRET;
}
