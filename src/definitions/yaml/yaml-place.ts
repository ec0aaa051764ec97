// Finds the line of a path (`steps[2].values.x`) in a YAML document.

import { isAlias, isMap, isSeq, type Node, type Pair, type YAMLMap } from 'yaml';
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
  const resolve = (node: Node | null): Node | null => (isAlias(node) ? targetOf(node) : node);
  let place: Place = { line: lineAt(document.contents?.range?.[0] ?? 0), value: document.contents };
  let rest = path;
  while (rest !== '') {
    const found = step(resolve(place.value), rest);
    if (found === null) return place;
    place = { line: lineAt(found.at.range?.[0] ?? 0), value: found.value };
    rest = found.rest;
  }
  const unknown = fieldsOf(resolve(place.value)).find(({ name }) => message.startsWith(`unknown field "${name}"`));
  return unknown === undefined ? place : { line: lineAt(unknown.key.range?.[0] ?? 0), value: unknown.value };

  function step(node: Node | null, at: string): { at: Node; value: Node | null; rest: string } | null {
    if (isSeq(node)) {
      const [whole = '', index] = /^\[(\d+)\]\.?/.exec(at) ?? [];
      const item = node.items[Number(index)] as Node | undefined;
      return item === undefined ? null : { at: item, value: item, rest: at.slice(whole.length) };
    }
    // A key may contain dots: the longest match wins. Digits are in brackets, in mappings too.
    const fits = fieldsOf(node)
      .map((field) => ({ ...field, after: restAfter(field.name, at) }))
      .filter(({ after }) => after !== null)
      .sort((a, b) => b.name.length - a.name.length);
    const [field] = fits;
    return field === undefined ? null : { at: field.key, value: field.value, rest: field.after as string };
  }

  function fieldsOf(node: Node | null): { name: string; key: Node; value: Node | null }[] {
    if (!isMap(node)) return [];
    const pairs = (node as YAMLMap<Node, Node | null>).items;
    const own = pairs.filter(({ key }) => !isMergeKey(key)).map(({ key, value }) => ({ name: nameOf(key), key, value }));
    return [...own, ...pairs.filter(({ key }) => isMergeKey(key)).flatMap(mergedFields)];
  }

  function mergedFields({ value }: Pair<Node, Node | null>): ReturnType<typeof fieldsOf> {
    const target = resolve(value);
    return isSeq(target) ? target.items.flatMap((item) => fieldsOf(resolve(item as Node))) : fieldsOf(target);
  }

  function nameOf(key: Node): string {
    const { value, source } = (resolve(key) ?? {}) as { value?: unknown; source?: string };
    return typeof value === 'string' ? value : (source ?? '');
  }
}

/** Returns the path after the name; null when it does not start with it. */
function restAfter(name: string, path: string): string | null {
  const start = [name, `[${name}]`].find((text) => path.startsWith(text) && /^(?:$|[.[])/.test(path.slice(text.length)));
  return start === undefined ? null : path.slice(start.length).replace(/^\./, '');
}
