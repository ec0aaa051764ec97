// Replaces each selector inside a value by what it selects.

import { ExactNumber } from './json.ts';
import { isStepReference, parseSelector } from './selector.ts';

/** What selectors can reach, by the name of their root: `inputs`, `steps`, `request`. */
export type Roots = Readonly<Record<string, unknown>>;

/**
 * Resolves at any depth; `$$x` becomes the literal `$x`, and a bare `$steps.name`, which names a step and no value,
 * stays as it is. What is not there is null. Never mutates the value.
 */
export function resolveBindings(value: unknown, roots: Roots): unknown {
  if (typeof value === 'string') {
    if (!value.startsWith('$')) return value;
    return value.startsWith('$$') ? value.slice(1) : isStepReference(value) ? value : select(value, roots);
  }
  if (Array.isArray(value)) return value.map((item) => resolveBindings(item, roots));
  if (typeof value === 'object' && value !== null && !(value instanceof ExactNumber)) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolveBindings(item, roots)]));
  }
  return value;
}

/** What a selector selects, or null when nothing is there. */
export function select(text: string, roots: Roots): unknown {
  const selector = parseSelector(text);
  if (selector === null) return null;
  let current: unknown = ownProperty(roots, selector.root);
  for (const key of selector.path) {
    // `$steps.a.*` is all outputs of a step; elsewhere `*` is a key like any other.
    if (key !== '*' || selector.root !== 'steps') current = ownProperty(current, key);
  }
  return current ?? null;
}

function ownProperty(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<string, unknown>)[key];
}
