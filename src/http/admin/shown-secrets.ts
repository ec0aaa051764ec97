// What may hold a secret, as it is shown: values of telling headers, values in the query of an address, its user and
// password, and what stands for a secret of the environment.

import { MASKED_SECRET } from '../../core/secrets/placeholder.ts';

/** Hides what stands for secrets in a text of a run. */
export type MaskSecrets = (runId: string, text: string) => string;

const TELLING_NAME = /authorization|cookie|token|secret|key|password|signature/i;
/** Their value is an address, or a path with a query. */
const ADDRESS_HEADERS: readonly string[] = ['location', 'content-location', 'referer'];

export function shownHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, shownValue(name, value)]));
}

function shownValue(name: string, value: string): string {
  if (TELLING_NAME.test(name)) return MASKED_SECRET;
  return ADDRESS_HEADERS.includes(name.toLowerCase()) ? shownAddress(value) : value;
}

/** Without user, password and fragment; each value of the query is hidden. */
export function shownAddress(text: string): string {
  const [address = '', query] = (text.split('#')[0] as string).split(/\?(.*)/s);
  return withoutUser(address) + (query === undefined ? '' : `?${query.split('&').map(shownPair).join('&')}`);
}

/** A text that is no URL can still be one to its receiver, so it loses what looks like a user as well. */
function withoutUser(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) return address.replace(/^([^/\\@]*[/\\]{2,})?[^/\\]*@/, '$1');
  if (url.username === '' && url.password === '') return address;
  url.username = '';
  url.password = '';
  return url.href;
}

/** A part without a name may be all secret. */
function shownPair(pair: string): string {
  const name = pair.split('=')[0] as string;
  return pair.includes('=') ? `${name}=${MASKED_SECRET}` : pair === '' ? '' : MASKED_SECRET;
}
