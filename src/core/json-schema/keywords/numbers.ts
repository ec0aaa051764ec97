// Keywords for numbers.

import { compareNumbers, isMultiple, isNumber } from '../decimal.ts';
import type { Keyword } from '../keyword.ts';

function limit(words: string, fits: (order: number) => boolean): Keyword {
  return (value, site) => {
    if (typeof value !== 'number') return site.fault('must be a number');
    return (given, evaluation) => {
      if (isNumber(given) && !fits(compareNumbers(given, value))) evaluation.fault(`must be ${words} ${value}`);
    };
  };
}

export const minimum = limit('at least', (order) => order >= 0);
export const maximum = limit('at most', (order) => order <= 0);
export const exclusiveMinimum = limit('more than', (order) => order > 0);
export const exclusiveMaximum = limit('less than', (order) => order < 0);

export const multipleOf: Keyword = (value, site) => {
  if (typeof value !== 'number' || value <= 0) return site.fault('must be a number above 0');
  return (given, evaluation) => {
    if (isNumber(given) && !isMultiple(given, value)) evaluation.fault(`must be a multiple of ${value}`);
  };
};
