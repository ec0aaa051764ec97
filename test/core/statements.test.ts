// Statements: every one is evaluated, definitions are checked, and detections count as sequences.

import { describe, expect, test } from 'vitest';
import { type Images, ImagesWanted, unloadedImages } from '../../src/core/uql/image.ts';
import type { OperationContext } from '../../src/core/uql/operations/operation.ts';
import { evaluateStatementGroup, statementGroupFaults } from '../../src/core/uql/statements/statement-group.ts';

const context: OperationContext = { parameters: {}, images: unloadedImages, random: () => 0 };

function group(...statements: unknown[]): Record<string, unknown> {
  return { type: 'StatementGroup', statements };
}

function binary(left: unknown, comparator: string, right: unknown): Record<string, unknown> {
  const operand = (value: unknown): unknown => ({ type: 'StaticOperand', value });
  return { type: 'BinaryStatement', left_operand: operand(left), comparator: { type: comparator }, right_operand: operand(right) };
}

function unary(name: string, operator: string, operations: unknown[] = []): Record<string, unknown> {
  return { type: 'UnaryStatement', operand: { type: 'DynamicOperand', operand_name: name, operations }, operator: { type: operator } };
}

test('a statement that fails makes its group fail, even if another statement decides it', () => {
  const definition = { ...group(binary(1, '==', 1), binary(1, '(Number) >', 'a')), operator: 'or' };
  expect(() => evaluateStatementGroup(definition, {}, context)).toThrow(
    "Attempted to execute evaluation of type: BinaryStatement in context <root>.statements[1], but encountered error: '>' not supported between instances of 'int' and 'str'",
  );
});

test('an error in the operations of an operand keeps its own class and place', () => {
  const definition = group(unary('x', 'Exists', [{ type: 'ToString' }, { type: 'Divide', other: 2 }]));
  expect(() => evaluateStatementGroup(definition, { x: 1 }, context)).toThrow(
    expect.objectContaining({
      type: 'InvalidInputTypeError',
      message: expect.stringContaining('in context <root>.statements[0].operations[1]'),
    }),
  );
});

test('a Python exception in the operations of an operand is an EvaluationEngineError', () => {
  const definition = group(unary('x', 'Exists', [{ type: 'ToNumber', cast_to: 'int' }]));
  expect(() => evaluateStatementGroup(definition, { x: 'inf' }, context)).toThrow(
    expect.objectContaining({
      type: 'EvaluationEngineError',
      message: expect.stringContaining('cannot convert float infinity to integer'),
    }),
  );
});

test('negate inverts the result of its own statement only', () => {
  const negated = { ...binary(1, '==', 1), negate: true };
  expect(evaluateStatementGroup(group(negated), {}, context)).toBe(false);
  expect(evaluateStatementGroup(group(negated, binary(1, '==', 1)), {}, context)).toBe(true);
});

test.each([
  [{ image: { width: 1, height: 1 }, predictions: [] }, true],
  [{ image: { width: 1, height: 1 }, predictions: [{ x: 1, y: 1, width: 1, height: 1, confidence: 1, class: 'a', class_id: 0 }] }, false],
])('detections count as an empty sequence if they have no predictions: %j', (detections, isEmpty) => {
  expect(evaluateStatementGroup(group(unary('found', '(Sequence) is empty')), { found: detections }, context)).toBe(isEmpty);
});

test('keys of Object.prototype are not operands', () => {
  expect(() => evaluateStatementGroup(group(unary('constructor', 'Exists')), {}, context)).toThrow('undefined symbol `constructor`');
});

test('a statement requests the images that its operands need', () => {
  const definition = group(unary('photo', 'Exists', [{ type: 'ExtractImageProperty', property_name: 'width' }]));
  const values = { photo: { type: 'base64', value: 'aGk=' } };
  const images: Images = { size: () => ({ width: 1, height: 1 }), jpeg: () => new Uint8Array() };
  expect(() => evaluateStatementGroup(definition, values, context)).toThrow(ImagesWanted);
  expect(evaluateStatementGroup(definition, values, { ...context, images })).toBe(true);
});

describe('a point', () => {
  const zone = [
    [0, 0],
    [10, 0],
    [10, 10],
    [5, 5],
    [0, 10],
  ];

  test.each([
    [[5, 4], true],
    [[5, 5], false],
    [[5, 6], false],
    [[0, 0], false],
    [[10, 3], false],
    [[1, 8.9], true],
    [[-1, 0], false],
  ])('whether the point %j is strictly inside the zone is %s', (point, expected) => {
    expect(evaluateStatementGroup(group(binary(point, '(Detection) in zone', zone)), {}, context)).toBe(expected);
  });

  test.each([
    [[1], zone],
    ['ab', zone],
    [
      [1, 1],
      [
        [0, 0],
        [1, 1],
      ],
    ],
    [[1, 1], null],
  ])('an invalid point or zone is an error: %j in %j', (point, polygon) => {
    expect(() => evaluateStatementGroup(group(binary(point, '(Detection) in zone', polygon)), {}, context)).toThrow(
      expect.objectContaining({ type: 'EvaluationEngineError' }),
    );
  });
});

test('every fault of a statement group has its place and says what would be right', () => {
  const definition = {
    type: 'StatementGroup',
    operator: 'xor',
    statements: [
      { type: 'BinaryStatement', left_operand: { type: 'StaticOperand' }, comparator: { type: '===' }, right_operand: 5, negate: 'maybe' },
      { type: 'Statement' },
      unary('x', 'is even', [{ type: 'Nonsense' }]),
      group(),
    ],
  };
  const shown = Object.fromEntries(statementGroupFaults(definition).map(({ path, message }) => [path, message]));
  expect(shown).toEqual({
    operator: 'must be "or" or "and"',
    'statements[0].left_operand.value': 'is missing; it may be any value, including null',
    'statements[0].comparator': expect.stringMatching(/^must be \{"type": …\} with one of "==", "!=", /),
    'statements[0].right_operand': 'must be an object with "type" "StaticOperand" or "DynamicOperand"',
    'statements[0].negate': 'must be true or false',
    'statements[1]': 'must be an object with "type" "BinaryStatement" or "UnaryStatement" or "StatementGroup"',
    'statements[2].operand.operations[0].type': expect.stringContaining('"Nonsense" is not an operation'),
    'statements[2].operator': expect.stringContaining('"Exists"'),
    'statements[3].statements': 'must be a list of at least one statement',
  });
});
