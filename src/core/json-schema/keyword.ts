// What a keyword of a schema is: it compiles to a check of a value.

import type { Evaluation, SchemaNode } from './evaluation.ts';
import type { LinearPattern } from './linear-pattern.ts';

export type Check = (value: unknown, evaluation: Evaluation) => void;

/** Returns null for a keyword that checks nothing, or has a fault. */
export type Keyword = (value: unknown, site: Site) => Check | null;

/** Where a keyword is. The names given to its methods are keys below the keyword. */
export interface Site {
  /** The keyword with its siblings. */
  schema: Readonly<Record<string, unknown>>;
  fault(message: string, ...below: (string | number)[]): null;
  /** Compiles a schema of the same value. */
  inPlace(schema: unknown, ...below: (string | number)[]): SchemaNode;
  /** Compiles a schema of a part of the value. */
  inside(schema: unknown, ...below: (string | number)[]): SchemaNode;
  /** The schema of the same document that a `$ref` names. */
  reference(pointer: string): SchemaNode;
  /** Null for a pattern with a fault. */
  pattern(pattern: string, ...below: (string | number)[]): LinearPattern | null;
}

export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}

/** Null for an object of schemas with a fault. */
export function schemasByName(
  value: unknown,
  site: Site,
  compile: (schema: unknown, name: string) => SchemaNode,
): Map<string, SchemaNode> | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return site.fault('must be an object of schemas');
  return new Map(Object.entries(value).map(([name, schema]) => [name, compile(schema, name)]));
}

export function isTextList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
