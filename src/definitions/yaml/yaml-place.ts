// Finds the line of a path (`steps[2].values.x`) in a YAML document.

import { isAlias, isMap, isSeq, type Node, type YAMLMap } from 'yaml';
import type { YamlText } from './yaml-text.ts';
import { isMergeKey } from './yaml-value.ts';

export interface Place {
  /** Of the field's key or the list's item; of the document when the path is empty or leads nowhere. */
  line: number;
  /** Null without a value. */
  value: Node | null;
}

/** Follows the path as far as it leads. A message about an unknown field adds that field's key to the path. */
export function findPlace({ document, lineAt, targetOf }: YamlText, path: string, message = ''): Place {
  const lineOf = (node: Node | null): number => lineAt(node?.range?.[0] ?? 0);
  const resolve: Resolve = (node) => (isAlias(node) ? targetOf(node) : node);
  let place: Place = { line: lineOf(document.contents), value: document.contents };
  let rest = path;
  while (rest !== '') {
    const found = step(resolve(place.value), rest, resolve);
    if (found === null) return place;
    place = { line: lineOf(found.at), value: found.value };
    rest = found.rest;
  }
  const unknown = fieldsOf(resolve(place.value), resolve).find(({ name }) => message.startsWith(`unknown field "${name}"`));
  return unknown === undefined ? place : { line: lineOf(unknown.key), value: unknown.value };
}

/** Replaces an alias with its target; null when it has none. */
type Resolve = (node: Node | null) => Node | null;

interface Field {
  name: string;
  key: Node;
  value: Node | null;
}

/** Follows the first part of the path; null when it leads nowhere. `at` is the key or item of that part. */
function step(node: Node | null, path: string, resolve: Resolve): { at: Node; value: Node | null; rest: string } | null {
  if (isSeq(node)) {
    const [whole = '', index] = /^\[(\d+)\]\.?/.exec(path) ?? [];
    const item = node.items[Number(index)] as Node | undefined;
    return item === undefined ? null : { at: item, value: item, rest: path.slice(whole.length) };
  }
  // A key may contain dots: the longest match wins. Digits are in brackets, in mappings too.
  const [field] = fieldsOf(node, resolve)
    .map((candidate) => ({ ...candidate, after: restAfter(candidate.name, path) }))
    .filter(({ after }) => after !== null)
    .sort((a, b) => b.name.length - a.name.length);
  return field === undefined ? null : { at: field.key, value: field.value, rest: field.after as string };
}

/** The fields of a mapping, with those that it merges last; empty for any other node. */
function fieldsOf(node: Node | null, resolve: Resolve): Field[] {
  if (!isMap(node)) return [];
  const pairs = (node as YAMLMap<Node, Node | null>).items;
  const own = pairs.filter(({ key }) => !isMergeKey(key)).map(({ key, value }) => ({ name: nameOf(resolve(key)), key, value }));
  return [...own, ...pairs.filter(({ key }) => isMergeKey(key)).flatMap(({ value }) => mergedFields(resolve(value), resolve))];
}

function mergedFields(source: Node | null, resolve: Resolve): Field[] {
  return isSeq(source) ? source.items.flatMap((item) => fieldsOf(resolve(item as Node), resolve)) : fieldsOf(source, resolve);
}

function nameOf(key: Node | null): string {
  const { value, source } = (key ?? {}) as { value?: unknown; source?: string };
  return typeof value === 'string' ? value : (source ?? '');
}

/** Returns the path after the name; null when it does not start with it. */
function restAfter(name: string, path: string): string | null {
  const start = [name, `[${name}]`].find((text) => path.startsWith(text) && /^(?:$|[.[])/.test(path.slice(text.length)));
  return start === undefined ? null : path.slice(start.length).replace(/^\./, '');
}
