// Follows the path of a selector through a value. A dotted path is read key by key; if that finds nothing, neighbouring
// parts are tried as one key with dots, as `hub.challenge` or `app.kubernetes.io/name`.

import { isQuoted, type SelectorPart } from './selector.ts';

/** Returns undefined when the value is missing, so that an actual null is distinguishable. */
export type FollowPath = (value: unknown) => unknown;

/** A longer path has too many readings to try: it is read key by key only. */
const MAX_JOINED_PARTS = 16;

export function compilePath(parts: readonly SelectorPart[]): FollowPath {
  const keys = parts.map(({ key }) => key);
  const mayJoin = parts.length <= MAX_JOINED_PARTS && parts.some((part, index) => canJoin(parts[index - 1], part));
  if (!mayJoin) return (value) => walk(value, keys);
  return (value) => {
    const found = walk(value, keys);
    return found === undefined ? search(value, parts, 0) : found;
  };
}

function walk(value: unknown, keys: readonly string[]): unknown {
  let current = value;
  for (const key of keys) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return undefined;
    current = (current as Record<string, unknown>)[key];
  }
  return current;
}

/** Part by part, the shortest key that finds a value wins. */
function search(value: unknown, parts: readonly SelectorPart[], from: number): unknown {
  if (from === parts.length) return value;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const { name, next } of leadingNames(parts, from)) {
    const found = Object.hasOwn(value, name) ? search((value as Record<string, unknown>)[name], parts, next) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Returns the names that joining parts from `from` on can make, shortest first, each with the index of the next part. */
export function leadingNames(parts: readonly SelectorPart[], from: number): { name: string; next: number }[] {
  const names: { name: string; next: number }[] = [];
  let name = '';
  for (let index = from; index < parts.length; index += 1) {
    const part = parts[index] as SelectorPart;
    if (index > from && !canJoin(parts[index - 1], part)) break;
    name = index === from ? part.key : `${name}.${part.key}`;
    names.push({ name, next: index + 1 });
  }
  return names;
}

function canJoin(left: SelectorPart | undefined, right: SelectorPart): boolean {
  return left !== undefined && !isQuoted(left) && !isQuoted(right);
}
