// Masks credentials in the headers of a request, which end up on screens, in logs and in screenshots.

import type { Pair } from './arrival.ts';

const MASK = '***';

/** From Node's flat list of names and values. */
export function shownHeaders(rawHeaders: readonly string[]): Pair[] {
  return Array.from({ length: rawHeaders.length / 2 }, (_, index) => {
    const [name, value] = [rawHeaders[2 * index] as string, rawHeaders[2 * index + 1] as string];
    return [name, maskCredentials(name.toLowerCase(), value)];
  });
}

/** Keeps the scheme and cookie names, which developers look for. */
function maskCredentials(name: string, value: string): string {
  if (name === 'authorization' || name === 'proxy-authorization') return value.replace(/^(\S+ +)?.*$/s, `$1${MASK}`);
  if (name !== 'cookie') return value;
  return value
    .split(';')
    .map((cookie) => (cookie.includes('=') ? cookie.replace(/=.*$/s, `=${MASK}`) : ` ${MASK}`))
    .join(';')
    .trim();
}
