// The JSON Pointer of a fault's path, such as `steps[2].values.x`, in the document that has the fault.

import type { Fault } from './fault.ts';
import { pointerOf } from './json/json-pointer.ts';

/** No field of a definition has a longer name, or a name with more separators. */
const MAX_NAME = 1000;
const MAX_SEPARATORS = 20;

/**
 * Returns a pointer to a value that is in the document: where the path leads nowhere, to the last value on it. The name of a field
 * may itself contain dots and brackets; the reading that leads furthest counts. A message about an unknown field adds its name.
 */
export function pointerOfFault(document: unknown, { path, message }: Fault): string {
  const { keys, value, rest } = furthest(document, path);
  const [, unknown = ''] = /^unknown field "(.{1,1000}?)"(?:$|[ ;])/s.exec(message) ?? [];
  return pointerOf(rest === 0 && unknown !== '' && isObject(value) && hasPart(value, unknown) ? [...keys, unknown] : keys);
}

interface Reading {
  keys: readonly string[];
  value: unknown;
  /** Characters of the path that lead nowhere. */
  rest: number;
}

function furthest(value: unknown, path: string): Reading {
  let best: Reading = { keys: [], value, rest: path.length };
  if (path === '' || !isObject(value)) return best;
  for (const { name, rest } of firstNames(path)) {
    if (!hasPart(value, name)) continue;
    const inside = furthest((value as Record<string, unknown>)[name], rest);
    if (inside.rest < best.rest) best = { ...inside, keys: [name, ...inside.keys] };
    if (best.rest === 0) break;
  }
  return best;
}

/** The names with which the path may begin, shortest first: `a` and `a.b` of `a.b`, `2` and `[2]` of `[2]`. */
function* firstNames(path: string): Generator<{ name: string; rest: string }> {
  const separator = /[.[]/g;
  separator.lastIndex = 1;
  for (let count = 0; count < MAX_SEPARATORS; count += 1) {
    const end = separator.exec(path)?.index ?? path.length;
    if (end > MAX_NAME) return;
    const written = path.slice(0, end);
    const rest = path.slice(end).replace(/^\./, '');
    const bracketed = /^\[(.*)\]$/s.exec(written)?.[1];
    if (bracketed !== undefined) yield { name: bracketed, rest };
    yield { name: written, rest };
    if (end === path.length) return;
  }
}

function hasPart(value: object, name: string): boolean {
  return Object.hasOwn(value, name) && !(Array.isArray(value) && name === 'length');
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
