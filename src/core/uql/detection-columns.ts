// The extra values of predictions, column by column. Roboflow stores each column as a numpy array, which has one type: a
// single float turns the whole column into floats, including nested lists.

import { mapLeaves } from '../json/json-tree.ts';
import { type Kind, kindOf } from '../python/kind.ts';
import { readNumber, toValue } from '../python/number.ts';
import { strOf } from '../python/text.ts';

/** A prediction as received. */
export type Row = Readonly<Record<string, unknown>>;

const COLUMNS = [
  'path_deviation',
  'time_in_zone',
  'polygon',
  'angle',
  'rect',
  'height',
  'width',
  'data',
  'speed',
  'smoothed_speed',
  'smoothed_velocity',
  'velocity',
  'area_px',
  'area_converted',
  'nearest_target_distance',
];

/** Returns the rows with one type per column; `rows` itself if none needs a conversion. */
export function unifyColumns(rows: readonly Row[]): readonly Row[] {
  const conversions = COLUMNS.flatMap((name) => {
    const convert = conversionFor(rows.flatMap((row) => (row[name] === undefined ? [] : [row[name]])));
    return convert === null ? [] : [{ name, convert }];
  });
  if (conversions.length === 0) return rows;
  return rows.map((row) => {
    const applicable = conversions.filter(({ name }) => row[name] !== undefined);
    return { ...row, ...Object.fromEntries(applicable.map(({ name, convert }) => [name, mapLeaves(row[name], convert)])) };
  });
}

/** The conversion of a column to one type; null if it has one type, or types that numpy stores as objects. */
function conversionFor(values: readonly unknown[]): ((value: unknown) => unknown) | null {
  const kinds = new Set<Kind>();
  for (const value of values) collectKinds(value, kinds);
  if (kinds.size < 2 || !hasOneShape(values)) return null;
  const hasOnly = (...expected: Kind[]): boolean => [...kinds].every((kind) => expected.includes(kind));
  if (hasOnly('bool', 'int')) return asInteger;
  if (hasOnly('bool', 'int', 'float')) return asFloat;
  return hasOnly('bool', 'int', 'float', 'str') ? strOf : null;
}

function collectKinds(value: unknown, kinds: Set<Kind>): void {
  if (Array.isArray(value)) for (const item of value) collectKinds(item, kinds);
  else kinds.add(kindOf(value));
}

/** Nested lists of different lengths do not form an array. */
function hasOneShape(values: readonly unknown[]): boolean {
  const [first] = values;
  if (!Array.isArray(first)) return !values.some(Array.isArray);
  return values.every((value) => Array.isArray(value) && value.length === first.length) && hasOneShape(values.flat());
}

function asInteger(value: unknown): unknown {
  return toValue(readNumber(value) as bigint);
}

function asFloat(value: unknown): unknown {
  return toValue(Number(readNumber(value)));
}
