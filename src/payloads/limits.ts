// How large a typed form may become. It is stored with its run and held whole by whoever works with it, so that a document
// of many small things must not make one of gigabytes.

import { BadPayload } from './bad-payload.ts';

const MAX_PREDICTIONS = 50_000;

/** Of all outlines together. With more, outlines stay in the document, and the typed form is without them. */
export const MAX_POINTS = 200_000;

/** Characters of its JSON. */
export const MAX_TYPED_LENGTH = 32 * 2 ** 20;

/** Throws BadPayload. */
export function refuseTooMany(part: string, count: number): void {
  if (count > MAX_PREDICTIONS) throw new BadPayload(part, `must hold at most ${MAX_PREDICTIONS} of them, and has ${count}`);
}
