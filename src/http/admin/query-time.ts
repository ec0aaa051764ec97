// Reads a time that a filter names.

import { AppError } from '../../errors.ts';

/** In ms of the wall clock. Throws `invalid`, with the name of the field. */
export function readTime(name: string, text: string): number {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new AppError('invalid', `${name}: must be an ISO 8601 time, such as 2026-01-31T12:00:00Z`);
  return ms;
}
