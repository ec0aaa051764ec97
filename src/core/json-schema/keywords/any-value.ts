// Keywords for values of any type.

import { countValues } from '../../json/json-tree.ts';
import { cutText } from '../../values/cut-text.ts';
import type { Evaluation } from '../evaluation.ts';
import { isOfType, JSON_TYPES, type JsonType, typeOf } from '../json-type.ts';
import { isSame } from '../json-values.ts';
import type { Keyword } from '../keyword.ts';

/** In bytes, of the values that a message lists. */
const MAX_LISTED = 512;
const MAX_VALUES = 1000;

export const type: Keyword = (value, site) => {
  const types = (Array.isArray(value) ? value : [value]) as JsonType[];
  if (types.length === 0 || !types.every((name) => JSON_TYPES.includes(name)))
    return site.fault(`must be ${JSON_TYPES.map((name) => `"${name}"`).join(', ')}, or a list of them`);
  const expected = types.join(' or ');
  return (given, evaluation) => {
    if (!types.some((name) => isOfType(given, name))) evaluation.fault(`must be ${expected}, and is ${typeOf(given)}`);
  };
};

export const enumeration: Keyword = (value, site) => {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_VALUES)
    return site.fault(`must be a list of 1 to ${MAX_VALUES} values`);
  const texts = new Set(value.filter((item) => typeof item === 'string'));
  const others = value.filter((item) => typeof item !== 'string');
  const message = `must be one of ${cutText(value.map((item) => JSON.stringify(item)).join(', '), MAX_LISTED)}`;
  return (given, evaluation) => {
    if (typeof given === 'string' ? texts.has(given) : others.some((item) => isSameAfter(evaluation, item, given))) return;
    evaluation.fault(message);
  };
};

function isSameAfter(evaluation: Evaluation, expected: unknown, given: unknown): boolean {
  evaluation.spend(typeof expected === 'object' ? countValues(expected, MAX_VALUES) : 1);
  return isSame(expected, given);
}

export const constant: Keyword = (value) => {
  const message = `must be ${cutText(JSON.stringify(value), MAX_LISTED)}`;
  return (given, evaluation) => {
    if (!isSameAfter(evaluation, value, given)) evaluation.fault(message);
  };
};
