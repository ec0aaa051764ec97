// Compiles a JSON Schema (2020-12) to checks, and finds every fault of it. A schema is interpreted: no code is made of it.

import type { Fault } from '../fault.ts';
import { ExactNumber } from '../json/json.ts';
import { pointerOf } from '../json/json-pointer.ts';
import { countValues, isDeeperThan } from '../json/json-tree.ts';
import { suggestNames } from '../values/similar-names.ts';
import { type Evaluation, readablePath, type SchemaNode } from './evaluation.ts';
import { isObject, type JsonType } from './json-type.ts';
import type { Check, Site } from './keyword.ts';
import { ANNOTATIONS, GATES, KEYWORDS } from './keywords.ts';
import { compileLinearPattern, type LinearPattern } from './linear-pattern.ts';

const MAX_SCHEMA_BYTES = 65_536;
const MAX_SCHEMA_VALUES = 5000;
const MAX_SCHEMA_DEPTH = 64;
/** In instructions, of all patterns. */
const MAX_PATTERNS = 10_000;
const TOO_MANY_PATTERNS = 'is too much beside the other patterns; use fewer or simpler ones';
/** Schemas of the same value within each other, `$ref` included: each takes a part of the stack. */
const MAX_IN_PLACE = 16;

const DIALECT = /^https:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/;

export interface CompiledSchema {
  root: SchemaNode;
  faults: Fault[];
}

/** `place` is where the schema is, for its faults. */
export function compileSchema(document: unknown, place: string): CompiledSchema {
  const fault = sizeFault(document);
  if (fault !== null) return { root: new Node([]), faults: [{ path: place, message: fault }] };
  return new Compiler(place).compile(document);
}

function sizeFault(document: unknown): string | null {
  if (isDeeperThan(MAX_SCHEMA_DEPTH, document)) return `must nest at most ${MAX_SCHEMA_DEPTH} levels deep`;
  const isLarge = countValues(document, MAX_SCHEMA_VALUES) > MAX_SCHEMA_VALUES || JSON.stringify(document).length > MAX_SCHEMA_BYTES;
  return isLarge ? `must have at most ${MAX_SCHEMA_BYTES} characters and ${MAX_SCHEMA_VALUES} values` : null;
}

class Node implements SchemaNode {
  readonly keys: Keys;
  types: readonly JsonType[] | null = null;
  /** If one of these finds a fault, the others have nothing to add. */
  readonly gates: Check[] = [];
  readonly checks: Check[] = [];
  /** Schemas of the same value. */
  readonly inPlace: Node[] = [];

  constructor(keys: Keys) {
    this.keys = keys;
  }

  visit(value: unknown, evaluation: Evaluation): void {
    evaluation.spend(1 + lengthWork(value));
    const { count } = evaluation;
    for (const gate of this.gates) gate(value, evaluation);
    if (evaluation.count !== count) return;
    for (const check of this.checks) check(value, evaluation);
  }
}

const CHARACTERS_PER_WORK = 64;

/** Of looking at all characters of a text or a number. */
function lengthWork(value: unknown): number {
  if (typeof value === 'string') return value.length / CHARACTERS_PER_WORK;
  return value instanceof ExactNumber ? value.text.length / CHARACTERS_PER_WORK : 0;
}

type Keys = readonly (string | number)[];

interface Reference {
  from: Node;
  pointer: string;
  keys: Keys;
  resolve: (node: Node) => void;
}

class Compiler {
  readonly #place: string;
  readonly #faults: Fault[] = [];
  readonly #all: Node[] = [];
  /** By pointer. */
  readonly #nodes = new Map<string, Node>();
  readonly #references: Reference[] = [];
  /** By text; null for a pattern with a fault. */
  readonly #patterns = new Map<string, LinearPattern | null>();
  #patternSize = 0;

  constructor(place: string) {
    this.#place = place;
  }

  compile(document: unknown): CompiledSchema {
    const root = this.#node(document, []);
    for (const reference of this.#references) this.#resolve(reference);
    if (this.#faults.length === 0) this.#refuseLoops();
    return { root, faults: this.#faults };
  }

  #fault(keys: Keys, message: string): null {
    const path = readablePath(keys);
    this.#faults.push({ path: path === '' ? this.#place : `${this.#place}.${path}`, message });
    return null;
  }

  #node(schema: unknown, keys: Keys): Node {
    const node = new Node(keys);
    this.#all.push(node);
    this.#nodes.set(pointerOf(keys), node);
    if (schema === false) node.gates.push((_value, evaluation) => evaluation.fault('is not allowed here'));
    else if (isObject(schema)) this.#addKeywords(node, schema, keys);
    else if (schema !== true) this.#fault(keys, 'must be a JSON Schema: an object, true or false');
    return node;
  }

  #addKeywords(node: Node, schema: Record<string, unknown>, keys: Keys): void {
    for (const [name, value] of Object.entries(schema)) {
      const at = [...keys, name];
      const compile = KEYWORDS.get(name);
      if (holdsInexact(value, LITERALS.has(name)))
        this.#fault(at, 'holds an integer beyond 9007199254740991, whose digits would not be kept');
      else if (compile !== undefined) {
        const check = compile(value, this.#site(node, schema, at));
        if (check !== null) (GATES.has(name) ? node.gates : node.checks).push(check);
      } else if (!ANNOTATIONS.has(name)) this.#fault(at, unknownKeyword(name));
    }
    const { $schema: dialect, type } = schema;
    node.types = type === undefined ? null : ([type].flat() as JsonType[]);
    if (dialect !== undefined && !(typeof dialect === 'string' && DIALECT.test(dialect)))
      this.#fault([...keys, '$schema'], 'must be "https://json-schema.org/draft/2020-12/schema"');
  }

  #site(node: Node, schema: Record<string, unknown>, at: Keys): Site {
    const below = (keys: Keys): Keys => (keys[0] === '..' ? [...at.slice(0, -1), ...keys.slice(1)] : [...at, ...keys]);
    return {
      schema,
      fault: (message, ...keys) => this.#fault(below(keys), message),
      inside: (inner, ...keys) => this.#node(inner, below(keys)),
      inPlace: (inner, ...keys) => {
        const nested = this.#node(inner, below(keys));
        node.inPlace.push(nested);
        return nested;
      },
      reference: (pointer) => this.#reference(node, pointer, at),
      pattern: (pattern, ...keys) => this.#pattern(pattern, below(keys)),
    };
  }

  #pattern(text: string, keys: Keys): LinearPattern | null {
    const known = this.#patterns.get(text);
    if (known !== undefined) return known;
    const compiled = this.#patternSize > MAX_PATTERNS ? TOO_MANY_PATTERNS : compileLinearPattern(text);
    const pattern = typeof compiled === 'string' ? this.#fault(keys, compiled) : compiled;
    this.#patternSize += pattern?.size ?? 0;
    this.#patterns.set(text, pattern);
    return pattern;
  }

  /** The named schema may not be compiled yet. */
  #reference(from: Node, pointer: string, keys: Keys): SchemaNode {
    let target: Node | undefined;
    this.#references.push({ from, pointer, keys, resolve: (node) => (target = node) });
    return { types: null, visit: (value, evaluation) => (target as Node).visit(value, evaluation) };
  }

  #resolve({ from, pointer, keys, resolve }: Reference): void {
    const found = this.#nodes.get(decoded(pointer.slice(1)));
    if (found === undefined) {
      const known = [...this.#nodes.keys()].filter((key) => /^\/(?:\$defs|definitions)\/[^/]*$/.test(key)).map((key) => `#${key}`);
      this.#fault(
        keys,
        `names no schema of this document${known.length === 0 ? '; it has no "$defs"' : suggestNames(pointer, known.slice(0, 30))}`,
      );
    } else {
      from.inPlace.push(found);
      resolve(found);
    }
  }

  /** A schema that leads to itself without going into the value would never end. Ends at the first fault. */
  #refuseLoops(): void {
    const depths = new Map<Node, number | null>();
    const depthOf = (node: Node, above: number): number => {
      const known = depths.get(node);
      if (known === null) this.#fault(node.keys, 'refers to itself without going into a part of the value');
      else if (above + (known ?? 1) > MAX_IN_PLACE)
        this.#fault(node.keys, `applies more than ${MAX_IN_PLACE} schemas within each other to one value`);
      if (this.#faults.length > 0) return 0;
      if (typeof known === 'number') return known;
      depths.set(node, null);
      const depth = 1 + Math.max(0, ...node.inPlace.map((inner) => depthOf(inner, above + 1)));
      depths.set(node, depth);
      return depth;
    };
    for (const node of this.#all) depthOf(node, 0);
  }
}

function decoded(pointer: string): string {
  try {
    return decodeURIComponent(pointer);
  } catch {
    return pointer;
  }
}

/** Keywords whose values are values, not schemas. */
const LITERALS: ReadonlySet<string> = new Set(['enum', 'const']);

function holdsInexact(value: unknown, isDeep: boolean): boolean {
  if (typeof value === 'number') return Number.isInteger(value) && !Number.isSafeInteger(value);
  return isDeep && typeof value === 'object' && value !== null && Object.values(value).some((item) => holdsInexact(item, true));
}

function unknownKeyword(name: string): string {
  if (name === 'nullable') return 'is no keyword of JSON Schema; write "type": ["string", "null"]';
  if (UNSUPPORTED.has(name)) return 'is a keyword that sinks do not check; leave it out';
  return `is no keyword of JSON Schema${suggestNames(name, [...KEYWORDS.keys()])}`;
}

const UNSUPPORTED: ReadonlySet<string> = new Set([
  '$dynamicRef',
  '$dynamicAnchor',
  '$anchor',
  '$vocabulary',
  'unevaluatedProperties',
  'unevaluatedItems',
  '$async',
]);
