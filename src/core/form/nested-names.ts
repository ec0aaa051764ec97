// Field names with brackets as nested values: `a[b]` is the field `b` of the object `a`, and `a[]` an item of the list `a`.

/** Thrown for a name that cannot be nested. The message is the end of a sentence whose subject is the field. */
export class NestedNameFault extends TypeError {
  readonly field: string;

  constructor(field: string, why: string) {
    super(why);
    this.field = field;
  }
}

const MAX_DEPTH = 8;
/** Any other name is kept as it is. */
const NESTED = /^([^[\]]+)((?:\[[^[\]]*\])+)$/;
const KEY = /\[([^[\]]*)\]/g;
const FORBIDDEN: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** Keys are those of Map, so that no name reaches a prototype. */
type Branch = Map<string, Node>;
type Node = { kind: 'value'; value: unknown } | { kind: 'list'; items: unknown[] } | { kind: 'object'; fields: Branch };

/** `fields` has a list for a name that came several times. Throws NestedNameFault. */
export function nestNames(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const root: Branch = new Map();
  for (const [name, value] of Object.entries(fields)) add(root, name, value);
  return toObject(root);
}

function add(root: Branch, name: string, value: unknown): void {
  const match = NESTED.exec(name);
  const keys = match === null ? [name] : keysOf(match[1] as string, match[2] as string);
  if (keys.length > MAX_DEPTH + 1) throw new NestedNameFault(shown(name), `is nested deeper than ${MAX_DEPTH} levels`);
  if (match !== null && keys.some((key) => FORBIDDEN.has(key))) throw new NestedNameFault(shown(name), 'has a name that is not accepted');
  const isItem = match !== null && keys.at(-1) === '';
  const path = isItem ? keys.slice(0, -1) : keys;
  if (match !== null && path.includes('')) throw new NestedNameFault(shown(name), 'has "[]" before its end; write a key there');
  let branch = root;
  for (const key of path.slice(0, -1)) branch = branchAt(branch, key, name);
  const last = path.at(-1) as string;
  const found = branch.get(last);
  if (found !== undefined && !(isItem && found.kind === 'list')) throw conflict(name);
  if (!isItem) branch.set(last, { kind: 'value', value });
  else if (found?.kind === 'list') found.items.push(...[value].flat());
  else branch.set(last, { kind: 'list', items: [value].flat() });
}

function keysOf(base: string, brackets: string): string[] {
  return [base, ...Array.from(brackets.matchAll(KEY), ([, key]) => key as string)];
}

function branchAt(branch: Branch, key: string, name: string): Branch {
  const found = branch.get(key);
  if (found?.kind === 'object') return found.fields;
  if (found !== undefined) throw conflict(name);
  const fields: Branch = new Map();
  branch.set(key, { kind: 'object', fields });
  return fields;
}

function conflict(name: string): NestedNameFault {
  return new NestedNameFault(shown(name), 'is both a value or a list and an object');
}

function toObject(branch: Branch): Record<string, unknown> {
  return Object.fromEntries([...branch].map(([key, node]) => [key, plainValue(node)]));
}

function plainValue(node: Node): unknown {
  if (node.kind === 'object') return toObject(node.fields);
  return node.kind === 'list' ? node.items : node.value;
}

function shown(name: string): string {
  return name.length > 100 ? `${name.slice(0, 100)}…` : name;
}
