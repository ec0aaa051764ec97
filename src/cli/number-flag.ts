// Parses numeric flags; errors name the allowed range.

import { ExitError, WRONG_USAGE } from './exit-error.ts';

export interface Range {
  min: number;
  max: number;
}

export function readWhole(flag: string, text: string, { min, max }: Range): number {
  const value = Number(text);
  if (!/^\d{1,15}$/.test(text) || value < min || value > max)
    throw new ExitError(`${flag} "${text}": must be a whole number from ${shown(min)} to ${shown(max)}`, WRONG_USAGE);
  return value;
}

/** Accepts fractions above 0, up to `max`. */
export function readPositive(flag: string, text: string, max: number): number {
  const value = Number(text);
  if (!/^\d{1,15}(?:\.\d{1,15})?$/.test(text) || value <= 0 || value > max)
    throw new ExitError(`${flag} "${text}": must be a number above 0, up to ${shown(max)}`, WRONG_USAGE);
  return value;
}

function shown(number: number): string {
  return number.toLocaleString('en-US');
}
