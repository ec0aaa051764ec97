// The time that a provider signs, in the forms in which providers write it.

import type { TimestampSource } from '../preset.ts';
import type { RefusalKind } from './proof.ts';

export interface TimestampFault {
  kind: RefusalKind;
  /** Why the time is refused. */
  why: string;
}

/** Strict: a lenient parser would accept a text that was shifted into the neighbouring field of the signed text. */
const FORMS: Readonly<Record<TimestampSource['unit'], { pattern: RegExp; toMs: (text: string) => number }>> = {
  s: { pattern: /^[0-9]{1,12}$/, toMs: (text) => Number(text) * 1000 },
  ms: { pattern: /^[0-9]{1,15}$/, toMs: Number },
  rfc3339: { pattern: /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)$/, toMs: Date.parse },
};

/** Null for a time that is not refused. `now` is wall time in ms. */
export function timestampFault(
  text: string | null,
  unit: TimestampSource['unit'],
  toleranceSeconds: number,
  now: number,
): TimestampFault | null {
  if (text === null) return malformed('missing');
  const { pattern, toMs } = FORMS[unit];
  const ms = pattern.test(text) ? toMs(text) : Number.NaN;
  if (Number.isNaN(ms)) return malformed('malformed');
  const skew = Math.round((now - ms) / 1000);
  if (Math.abs(now - ms) <= toleranceSeconds * 1000) return null;
  const why = `it was signed ${Math.abs(skew)} s ${skew > 0 ? 'ago' : 'ahead of this server’s clock'}, and ${toleranceSeconds} s are allowed`;
  return { kind: 'signature_stale', why };
}

function malformed(what: string): TimestampFault {
  return { kind: 'signature_malformed', why: `the time that it signs is ${what}` };
}
