// Converts nodes of a YAML document to a JSON value: resolves aliases and merge keys, expands `${env:NAME}`, keeps numbers
// as written. Reports values that JSON does not support, with their line.

import { isAlias, isMap, isScalar, isSeq, type Node, Scalar, type YAMLMap } from 'yaml';
import { ExactNumber } from '../../core/json/json.ts';
import type { LineFault, YamlText } from './yaml-text.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const MAX_DEPTH = 100;
/** Counts the values of an alias at each use: a few lines of aliases can expand to billions. */
const MAX_VALUES = 250_000;
const MAX_FAULTS = 100;

const VARIABLE = /\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}/g;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const YAML_TAG = 'tag:yaml.org,2002:';
const JSON_TAGS = new Set(['!', ...['map', 'seq', 'str', 'null', 'bool', 'int', 'float'].map((name) => `${YAML_TAG}${name}`)]);

/** The value is valid only without faults. A fault repeated by aliases is reported once. */
export function readYamlValue(yaml: YamlText, environment: Environment): { value: unknown; faults: LineFault[] } {
  return new YamlReader(yaml, environment).readDocument();
}

class YamlReader {
  readonly #yaml: YamlText;
  readonly #environment: Environment;
  readonly #faults = new Map<string, LineFault>();
  #valueCount = 0;

  constructor(yaml: YamlText, environment: Environment) {
    this.#yaml = yaml;
    this.#environment = environment;
  }

  readDocument(): { value: unknown; faults: LineFault[] } {
    const value = this.#read(this.#yaml.document.contents, 0);
    return { value, faults: [...this.#faults.values()] };
  }

  #fault(node: Node, message: string): null {
    const line = this.#yaml.lineAt(node.range?.[0] ?? 0);
    if (this.#faults.size < MAX_FAULTS) this.#faults.set(`${line} ${message}`, { line, message });
    return null;
  }

  #read(node: Node | null, depth: number): unknown {
    if (node === null) return null;
    this.#valueCount += 1;
    if (this.#valueCount > MAX_VALUES) return this.#valueCount === MAX_VALUES + 1 ? this.#fault(node, TOO_MANY) : null;
    if (depth > MAX_DEPTH) return this.#fault(node, `is nested deeper than ${MAX_DEPTH} levels`);
    const { tag } = node as { tag?: string };
    if (tag !== undefined && !JSON_TAGS.has(tag))
      return this.#fault(node, `the tag ${tag.replace(YAML_TAG, '!!')} has no equivalent in JSON`);
    if (isAlias(node)) {
      const target = this.#yaml.targetOf(node);
      return target === null
        ? this.#fault(node, `the alias *${node.source} has no earlier anchor &${node.source}`)
        : this.#read(target, depth + 1);
    }
    if (isMap(node)) return this.#readMap(node as YAMLMap<Node, Node | null>, depth);
    if (isSeq(node)) return node.items.map((item) => this.#read(item as Node, depth + 1));
    return this.#readScalar(node as Scalar);
  }

  #readMap(node: YAMLMap<Node, Node | null>, depth: number): object {
    const own = new Map<string, unknown>();
    const names = new Set<string>();
    let merged: object = {};
    for (const { key, value } of node.items) {
      const name = this.#readKey(key);
      if (name === null) continue;
      if (names.has(name)) this.#fault(key, `field "${name}" appears twice`);
      names.add(name);
      if (isMergeKey(key)) merged = this.#readMerged(value ?? key, depth);
      else own.set(name, this.#read(value, depth + 1));
    }
    return { ...merged, ...Object.fromEntries(own) };
  }

  /** Earlier mappings of a list override later ones (YAML 1.1, merge key). */
  #readMerged(node: Node, depth: number): object {
    const target = isAlias(node) ? this.#yaml.targetOf(node) : node;
    const sources = isSeq(target) ? (target.items as Node[]) : [node];
    const isMapping = (source: Node): boolean => isMap(isAlias(source) ? this.#yaml.targetOf(source) : source);
    const wrong = sources.find((source) => !isMapping(source));
    if (wrong !== undefined) return { merged: this.#fault(wrong, 'the merge key "<<" needs a mapping, or a list of mappings') };
    return Object.assign({}, ...sources.toReversed().map((source) => this.#read(source, depth + 1)));
  }

  /** Returns null, and reports a fault, for an invalid JSON key. */
  #readKey(node: Node): string | null {
    const key = isAlias(node) ? this.#yaml.targetOf(node) : node;
    if (!isScalar(key) || key.value === null) return this.#fault(node, 'a key must be text');
    const name = typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
    return name === '__proto__' ? this.#fault(node, 'no key may be "__proto__"') : name;
  }

  #readScalar(node: Scalar): unknown {
    const { value, source = '' } = node;
    if (typeof value === 'string') return this.#expandVariables(node, value);
    if (typeof value === 'boolean' || value === null) return value;
    if (typeof value !== 'number') return this.#fault(node, 'the value has no equivalent in JSON');
    if (NUMBER.test(source)) return String(value) === source ? value : new ExactNumber(source);
    if (!Number.isFinite(value)) return this.#fault(node, `${source} is not a JSON number`);
    return Number.isInteger(value) && !Number.isSafeInteger(value)
      ? this.#fault(node, `${source} is too large; write it as a decimal`)
      : value;
  }

  #expandVariables(node: Node, text: string): string {
    return text.replaceAll(VARIABLE, (placeholder, name: string) => {
      const value = this.#environment[name];
      if (value !== undefined && value !== '') return value;
      this.#fault(node, `environment variable ${name} is not set, but ${placeholder} needs it`);
      return '';
    });
  }
}

const TOO_MANY = `has more than ${MAX_VALUES} values, counting those of each alias`;

/** True for a plain `<<`; in quotes it is an ordinary key. */
export function isMergeKey(key: unknown): boolean {
  return isScalar(key) && key.source === '<<' && key.type === Scalar.PLAIN;
}
