// Types and equality of JSON values, as JSON Schema sees them: numbers are equal by value, objects whatever the order of keys.

import { ExactNumber } from '../json/json.ts';
import { canonicalNumber, compareNumbers, isInteger, isNumber } from './decimal.ts';
import type { Evaluation } from './evaluation.ts';

export const JSON_TYPES = ['null', 'boolean', 'integer', 'number', 'string', 'array', 'object'] as const;
export type JsonType = (typeof JSON_TYPES)[number];

export function typeOf(value: unknown): JsonType {
  if (value === null || value === undefined) return 'null';
  if (isNumber(value)) return isInteger(value) ? 'integer' : 'number';
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'string') return 'string';
  return Array.isArray(value) ? 'array' : 'object';
}

export function isOfType(value: unknown, type: JsonType): boolean {
  switch (type) {
    case 'number':
      return isNumber(value);
    case 'integer':
      return isInteger(value);
    case 'object':
      return isObject(value);
    case 'array':
      return Array.isArray(value);
    default:
      return typeOf(value) === type;
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber);
}

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
