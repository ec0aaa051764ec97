// The types of JSON values, as JSON Schema names them.

import { ExactNumber } from '../json/json.ts';
import { isInteger, isNumber } from './decimal.ts';

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
