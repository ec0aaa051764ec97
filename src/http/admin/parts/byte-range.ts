// The header `Range` of a request for bytes (RFC 9110, section 14). A request for several ranges gets the whole.

import type { IncomingHttpHeaders } from 'node:http';
import { AppError } from '../../../errors.ts';

/** From the first byte to before the last. */
export interface ByteRange {
  from: number;
  end: number;
}

const ONE_RANGE = /^\s*bytes\s*=\s*(?:(\d+)-(\d*)|-(\d+))\s*$/i;

/**
 * Null: the whole is wanted. So it is if the header is malformed or names several ranges, as the standard allows, and with
 * `If-Range`, because the answers have no validators. Throws `range_not_satisfiable`.
 */
export function readRange(headers: IncomingHttpHeaders, size: number): ByteRange | null {
  const match = headers['if-range'] === undefined ? ONE_RANGE.exec(headers.range ?? '') : null;
  if (match === null) return null;
  const [, first, last = '', suffix] = match;
  const range =
    first === undefined
      ? { from: Math.max(0, size - Number(suffix)), end: size }
      : { from: Number(first), end: last === '' ? size : Math.min(size, Number(last) + 1) };
  if (first !== undefined && last !== '' && Number(last) < Number(first)) return null;
  if (range.from < range.end) return range;
  throw new AppError('range_not_satisfiable', `Range: must begin within the ${size} bytes that there are`, {
    headers: { 'content-range': `bytes */${size}`, 'accept-ranges': 'bytes' },
  });
}
