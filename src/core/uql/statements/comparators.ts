// The tables of comparators, for two operands, and of unary operators. They raise Python's errors.

import { isEqual } from '../../python/equality.ts';
import { PythonError } from '../../python/error.ts';
import { typeName } from '../../python/kind.ts';
import { isOrdered } from '../../python/ordering.ts';
import { isIn, itemAt } from '../../python/sequence.ts';
import { itemsOf, lengthOf } from '../operations/sequences/sequence.ts';
import { isPointInZone } from './zone.ts';

export type Comparator = (left: unknown, right: unknown) => boolean;
export type UnaryOperator = (operand: unknown) => boolean;

export const comparators: ReadonlyMap<unknown, Comparator> = new Map<string, Comparator>([
  ['==', isEqual],
  ['!=', (left, right) => !isEqual(left, right)],
  ['(Number) ==', isEqual],
  ['(Number) !=', (left, right) => !isEqual(left, right)],
  ['(Number) >', (left, right) => isOrdered(left, '>', right)],
  ['(Number) >=', (left, right) => isOrdered(left, '>=', right)],
  ['(Number) <', (left, right) => isOrdered(left, '<', right)],
  ['(Number) <=', (left, right) => isOrdered(left, '<=', right)],
  ['(Number) in range', (left, range) => isOrdered(itemAt(range, 0), '<=', left) && isOrdered(left, '<=', itemAt(range, 1))],
  ['(String) startsWith', (left, right) => asText(left, 'startswith').startsWith(asPart(right, 'startswith'))],
  ['(String) endsWith', (left, right) => asText(left, 'endswith').endsWith(asPart(right, 'endswith'))],
  ['(String) contains', (left, right) => isIn(right, left)],
  ['in (Sequence)', isIn],
  ['any in (Sequence)', (left, right) => itemsOf(left).some((item) => isIn(item, right))],
  ['all in (Sequence)', (left, right) => itemsOf(left).every((item) => isIn(item, right))],
  ['(Detection) in zone', isPointInZone],
]);

export const unaryOperators: ReadonlyMap<unknown, UnaryOperator> = new Map<string, UnaryOperator>([
  ['Exists', (operand) => (operand ?? null) !== null],
  ['DoesNotExist', (operand) => (operand ?? null) === null],
  ['(Boolean) is True', (operand) => operand === true],
  ['(Boolean) is False', (operand) => operand === false],
  ['(Sequence) is empty', (operand) => lengthOf(operand) === 0],
  ['(Sequence) is not empty', (operand) => lengthOf(operand) > 0],
]);

function asText(value: unknown, method: string): string {
  if (typeof value === 'string') return value;
  throw new PythonError('AttributeError', `'${typeName(value)}' object has no attribute '${method}'`);
}

function asPart(value: unknown, method: string): string {
  if (typeof value === 'string') return value;
  throw new PythonError('TypeError', `${method} first arg must be str or a tuple of str, not ${typeName(value)}`);
}
