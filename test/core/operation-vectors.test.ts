// Operations give the recorded results, number types and errors of Roboflow's own code.

import { describe, expect, test } from 'vitest';
import { applyOperations, compileOperations, operationsFaults } from '../../src/core/uql/operations/apply-operations.ts';
import type { OperationDefinition } from '../../src/core/uql/operations/operation.ts';
import {
  type Expectation,
  expectFault,
  expectResult,
  expectsError,
  isRefusedWhenSaved,
  readInput,
  readVectors,
  runWithImages,
  titled,
} from './vector-support.ts';

interface Vector extends Expectation {
  op: OperationDefinition[];
  input: unknown;
  global_parameters?: Record<string, unknown>;
}

const files = ['uql_vectors.json', 'uql_column_vectors.json'];
const vectors = files.flatMap((file) => readVectors<Vector>(file));

test('at least 417 recorded operations are read', () => {
  expect(vectors.length).toBeGreaterThanOrEqual(343 + 74);
});

describe('recorded operations', () => {
  test.each(titled(vectors))('the recorded operation %s gives the same result', async (_title, vector) => {
    if (isRefusedWhenSaved(vector)) {
      expect(operationsFaults(vector.op).length).toBeGreaterThan(0);
      expect(() => compileOperations(vector.op)).toThrow('not valid');
      return;
    }
    expect(operationsFaults(vector.op)).toEqual([]);
    const input = readInput(vector.input, vector.input_kind);
    const run = (): Promise<unknown> =>
      runWithImages(vector.global_parameters ?? {}, (context) => applyOperations(input, vector.op, context));
    if (expectsError(vector)) await expectFault(vector, run);
    else await expectResult(vector, await run(), input);
  });
});
