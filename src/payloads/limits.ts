// The size limits of a typed form. It is stored with its run and kept in memory as a whole, so a document of many small
// values must not expand to gigabytes.

import { BadPayload } from './bad-payload.ts';

const MAX_PREDICTIONS = 50_000;

/** The points of all outlines together. If there are more, the typed form omits the outlines. */
export const MAX_POINTS = 200_000;

/** In characters of JSON. */
export const MAX_TYPED_LENGTH = 32 * 2 ** 20;

/** Throws BadPayload. */
export function refuseTooMany(part: string, count: number): void {
  if (count > MAX_PREDICTIONS) throw new BadPayload(part, `must have at most ${MAX_PREDICTIONS} predictions, not ${count}`);
}
