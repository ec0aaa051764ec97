// What predictions bring along, column by column. Roboflow keeps each as a numpy array, which has one type for all: a
// single float makes floats of the others, also of those in lists.

import { mapLeaves } from '../json/json-tree.ts';
import { type Kind, kindOf } from '../python/kind.ts';
import { readNumber, toValue } from '../python/number.ts';
import { strOf } from '../python/text.ts';

/** A prediction as it came. */
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

/** The rows with each column of one type; those that are so already are not copied. */
export function inColumns(rows: readonly Row[]): readonly Row[] {
  const changes = COLUMNS.flatMap((name) => {
    const change = changeFor(rows.flatMap((row) => (row[name] === undefined ? [] : [row[name]])));
    return change === null ? [] : [{ name, change }];
  });
  if (changes.length === 0) return rows;
  return rows.map((row) => {
    const changed = changes.filter(({ name }) => row[name] !== undefined);
    return { ...row, ...Object.fromEntries(changed.map(({ name, change }) => [name, mapLeaves(row[name], change)])) };
  });
}

/** What makes one type of the column's values; null where they are of one, or of kinds that numpy keeps as they are. */
function changeFor(values: readonly unknown[]): ((value: unknown) => unknown) | null {
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

/** Lists of other lengths than their neighbours make no array. */
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
