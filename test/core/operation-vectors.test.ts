// Operations give what Roboflow's own code gave: every recorded case, results, types of numbers and errors.

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

test('there are cases, and each is run', () => {
  expect(vectors.length).toBeGreaterThanOrEqual(343 + 74);
});

describe('recorded operations', () => {
  test.each(titled(vectors))('%s', async (_title, vector) => {
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
