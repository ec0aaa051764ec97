// How the path of a selector leads through a value. A path that is written with dots is read key by key; where that
// leads nowhere, neighbours are read as one key that holds the dots, as `hub.challenge` or `app.kubernetes.io/name`.

import { isQuoted, type SelectorPart } from './selector.ts';

/** Gives undefined where nothing is there, which null in its place is not. */
export type FollowPath = (value: unknown) => unknown;

/** Of a longer path the ways to read it are too many to try: it is read key by key alone. */
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

/** The shortest key that leads to something wins, part by part. */
function search(value: unknown, parts: readonly SelectorPart[], from: number): unknown {
  if (from === parts.length) return value;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const { name, next } of leadingNames(parts, from)) {
    const found = Object.hasOwn(value, name) ? search((value as Record<string, unknown>)[name], parts, next) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The names that parts from one on may be the beginning of, shortest first, each with the part behind it. */
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
