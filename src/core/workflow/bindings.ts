// Resolves the selectors inside a value. A value is compiled once, when its workflow is planned, so that a run neither
// parses selectors nor copies parts without them.

import { ExactNumber } from '../json/json.ts';
import { isStepReference, readSelector } from './selector.ts';
import { compilePath } from './selector-path.ts';

/** The values that selectors can reach, by root: `inputs`, `steps`, `request`. */
export type Roots = Readonly<Record<string, unknown>>;

/** Returns the value with its selectors resolved. The result is shared between calls: never change it. */
export type Binding = (roots: Roots) => unknown;

/**
 * Selectors are found at any depth. `$$x` becomes the literal `$x`. A bare `$steps.name`, which names a step and no
 * value, is left unchanged. A missing value is null.
 */
export function compileBinding(value: unknown): Binding {
  return compile(value) ?? (() => value);
}

/** Compiles and resolves at once, for values that are used once. */
export function resolveBindings(value: unknown, roots: Roots): unknown {
  return compileBinding(value)(roots);
}

/** Null when the value contains no selector. */
function compile(value: unknown): Binding | null {
  if (typeof value === 'string') return compileText(value);
  if (typeof value !== 'object' || value === null || value instanceof ExactNumber) return null;
  return Array.isArray(value) ? compileArray(value) : compileObject(value);
}

function compileText(text: string): Binding | null {
  if (!text.startsWith('$') || isStepReference(text)) return null;
  if (text.startsWith('$$')) {
    const literal = text.slice(1);
    return () => literal;
  }
  return compileSelector(text);
}

/** Returns the selected value, or null when it is missing. */
export function compileSelector(text: string): Binding {
  const lookUp = compileLookUp(text);
  return (roots) => lookUp(roots) ?? null;
}

/** As compileSelector, but undefined when the value is missing, so that an actual null is distinguishable. */
export function compileLookUp(text: string): Binding {
  const selector = readSelector(text);
  if (selector === null) return () => undefined;
  const { root } = selector;
  // `$steps.a.*` is all outputs of a step; elsewhere `*` is a key like any other.
  const parts = root === 'steps' ? selector.parts.filter(({ written }) => written !== '.*') : selector.parts;
  const follow = compilePath(parts);
  return (roots) => (Object.hasOwn(roots, root) ? follow(roots[root]) : undefined);
}

function compileArray(items: readonly unknown[]): Binding | null {
  const bindings = items.map(compile);
  if (bindings.every((binding) => binding === null)) return null;
  return (roots) => items.map((item, index) => (bindings[index] === null ? item : (bindings[index] as Binding)(roots)));
}

function compileObject(object: object): Binding | null {
  const fields = Object.entries(object).map(([key, item]) => ({ key, item: item as unknown, binding: compile(item) }));
  if (fields.every(({ binding }) => binding === null)) return null;
  return (roots) => {
    const resolved: Record<string, unknown> = {};
    for (const { key, item, binding } of fields) resolved[key] = binding === null ? item : binding(roots);
    return resolved;
  };
}
