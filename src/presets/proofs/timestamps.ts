// The time that a provider signs, in the forms in which providers write it.

import type { TimestampSource } from '../preset.ts';

/** Strict: a lenient parser would accept a text that was shifted into the neighbouring field of the signed text. */
const FORMS: Readonly<Record<TimestampSource['unit'], { pattern: RegExp; toMs: (text: string) => number }>> = {
  s: { pattern: /^[0-9]{1,12}$/, toMs: (text) => Number(text) * 1000 },
  ms: { pattern: /^[0-9]{1,15}$/, toMs: Number },
  rfc3339: { pattern: /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)$/, toMs: Date.parse },
};

/** Returns why the time is refused, or null. `now` is wall time in ms. */
export function timestampFault(text: string | null, unit: TimestampSource['unit'], toleranceSeconds: number, now: number): string | null {
  if (text === null) return 'the time that it signs is missing';
  const { pattern, toMs } = FORMS[unit];
  const ms = pattern.test(text) ? toMs(text) : Number.NaN;
  if (Number.isNaN(ms)) return 'the time that it signs is malformed';
  const skew = Math.round((now - ms) / 1000);
  if (Math.abs(now - ms) <= toleranceSeconds * 1000) return null;
  return `it was signed ${Math.abs(skew)} s ${skew > 0 ? 'ago' : 'ahead of this server’s clock'}, and ${toleranceSeconds} s are allowed`;
}
