// What values at one place of many bodies have in common: their types, fields and texts. Bounded in depth and in size, however
// many bodies come and whatever they are.

import { isInteger, isNumber } from '../json-schema/decimal.ts';
import { CHECKED_FORMATS, isOfFormat } from '../json-schema/formats.ts';
import { isObject } from '../json-schema/json-type.ts';

/** Deeper values may be anything. */
const MAX_DEPTH = 16;
/** Of all objects; beyond them an object is a map. */
const MAX_FIELDS = 1000;
const MAX_FIELDS_OF_OBJECT = 50;
const MAX_FIELD_NAME = 100;
/** Different texts that are remembered of one place. */
const MAX_TEXTS = 12;
const MAX_TEXT = 40;

/** Without those that many other texts have by chance. */
const FORMATS = CHECKED_FORMATS.filter((format) => !['hostname', 'time', 'ipv6'].includes(format));

export interface Shape {
  /** Values that came. */
  count: number;
  nulls: number;
  booleans: number;
  integers: number;
  fractions: number;
  texts: TextShape;
  lists: number;
  /** Of all items of all lists. */
  items: Shape | null;
  objects: number;
  /** By name; null once the names are keys of a map. */
  fields: Map<string, Shape> | null;
  /** Of all values of a map. */
  values: Shape | null;
  depth: number;
}

export interface TextShape {
  count: number;
  /** How often each came; null once there are too many, or long ones. */
  known: Map<string, number> | null;
  /** That all have. */
  formats: readonly string[];
}

export class ShapeOfBodies {
  readonly root = shapeAt(0);
  #fields = 0;

  observe(value: unknown): void {
    this.#observe(this.root, value);
  }

  #observe(shape: Shape, value: unknown): void {
    shape.count += 1;
    if (value === null || value === undefined) shape.nulls += 1;
    else if (typeof value === 'boolean') shape.booleans += 1;
    else if (isNumber(value)) shape[isInteger(value) ? 'integers' : 'fractions'] += 1;
    else if (typeof value === 'string') observeText(shape.texts, value);
    else if (Array.isArray(value)) this.#observeList(shape, value);
    else if (isObject(value)) this.#observeObject(shape, value);
  }

  #observeList(shape: Shape, list: readonly unknown[]): void {
    shape.lists += 1;
    if (shape.depth === MAX_DEPTH || list.length === 0) return;
    shape.items ??= shapeAt(shape.depth + 1);
    for (const item of list) this.#observe(shape.items, item);
  }

  #observeObject(shape: Shape, object: Readonly<Record<string, unknown>>): void {
    shape.objects += 1;
    if (shape.depth === MAX_DEPTH) return;
    for (const [name, value] of Object.entries(object)) this.#observe(this.#fieldOf(shape, name), value);
  }

  #fieldOf(shape: Shape, name: string): Shape {
    const known = shape.fields?.get(name) ?? shape.values;
    if (known !== null) return known;
    const fields = shape.fields as Map<string, Shape>;
    if (fields.size >= MAX_FIELDS_OF_OBJECT || this.#fields >= MAX_FIELDS || name.length > MAX_FIELD_NAME) return becomeMap(shape);
    this.#fields += 1;
    const field = shapeAt(shape.depth + 1);
    fields.set(name, field);
    return field;
  }
}

function shapeAt(depth: number): Shape {
  return {
    count: 0,
    nulls: 0,
    booleans: 0,
    integers: 0,
    fractions: 0,
    texts: { count: 0, known: new Map(), formats: FORMATS },
    lists: 0,
    items: null,
    objects: 0,
    fields: new Map(),
    values: null,
    depth,
  };
}

function observeText(texts: TextShape, text: string): void {
  texts.count += 1;
  texts.formats = texts.formats.filter((format) => isOfFormat(text, format));
  if (texts.known === null) return;
  if (text.length > MAX_TEXT || (texts.known.size === MAX_TEXTS && !texts.known.has(text))) texts.known = null;
  else texts.known.set(text, (texts.known.get(text) ?? 0) + 1);
}

/** The values so far become those of the map, which is returned. */
function becomeMap(shape: Shape): Shape {
  shape.values = valuesOf(shape);
  shape.fields = null;
  return shape.values;
}

/** Of all fields of an object as one. */
export function valuesOf({ fields, values, depth }: Shape): Shape {
  const merged = values ?? shapeAt(depth + 1);
  for (const field of fields?.values() ?? []) merge(merged, field);
  return merged;
}

function merge(into: Shape, from: Shape): void {
  for (const key of ['count', 'nulls', 'booleans', 'integers', 'fractions', 'lists', 'objects'] as const) into[key] += from[key];
  mergeTexts(into.texts, from.texts);
  if (from.items !== null) {
    into.items ??= shapeAt(into.depth + 1);
    merge(into.items, from.items);
  }
  if (from.fields === null || into.fields === null) {
    const values = into.values ?? becomeMap(into);
    merge(values, valuesOf(from));
    return;
  }
  for (const [name, field] of from.fields) {
    const known = into.fields?.get(name);
    if (known === undefined && (into.fields as Map<string, Shape>).size >= MAX_FIELDS_OF_OBJECT) {
      merge(becomeMap(into), valuesOf(from));
      return;
    }
    if (known === undefined) into.fields?.set(name, field);
    else merge(known, field);
  }
}

function mergeTexts(into: TextShape, from: TextShape): void {
  into.count += from.count;
  if (from.count > 0) into.formats = into.formats.filter((format) => from.formats.includes(format));
  if (from.known === null) into.known = null;
  for (const [text, count] of from.known ?? []) {
    if (into.known !== null && !into.known.has(text) && into.known.size === MAX_TEXTS) into.known = null;
    into.known?.set(text, (into.known.get(text) ?? 0) + count);
  }
}
