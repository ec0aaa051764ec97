// Equality of JSON values, as JSON Schema sees it: numbers are equal by value, objects whatever the order of keys.

import { canonicalNumber, compareNumbers, isNumber } from './decimal.ts';
import type { Evaluation } from './evaluation.ts';
import { isObject } from './json-type.ts';

export function isSame(a: unknown, b: unknown): boolean {
  if (isNumber(a) && isNumber(b)) return compareNumbers(a, b) === 0;
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, index) => isSame(item, b[index]));
  if (!isObject(a) || !isObject(b)) return a === b;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && isSame(a[key], b[key]));
}

/** The same text for equal values. */
export function canonicalText(value: unknown, evaluation: Evaluation): string {
  evaluation.spend(1);
  if (isNumber(value)) return canonicalNumber(value);
  if (Array.isArray(value)) return `[${value.map((item) => canonicalText(item, evaluation)).join()}]`;
  if (!isObject(value)) return JSON.stringify(value ?? null);
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonicalText(value[key], evaluation)}`).join()}}`;
}
