// Statements give the recorded results and errors of Roboflow's own code.

import { describe, expect, test } from 'vitest';
import { compileStatementGroup, evaluateStatementGroup, statementGroupFaults } from '../../src/core/uql/statements/statement-group.ts';
import { type Expectation, expectFault, expectsError, isRefusedWhenSaved, readVectors, runWithImages, titled } from './vector-support.ts';

interface Vector extends Expectation {
  statement: unknown;
  values: Record<string, unknown>;
}

const vectors = readVectors<Vector>('uql_statement_vectors.json');

test('at least 162 recorded statements are read', () => {
  expect(vectors.length).toBeGreaterThanOrEqual(162);
});

describe('recorded statements', () => {
  test.each(titled(vectors))('the recorded statement %s gives the same result', async (_title, vector) => {
    if (isRefusedWhenSaved(vector)) {
      expect(statementGroupFaults(vector.statement).length).toBeGreaterThan(0);
      expect(() => compileStatementGroup(vector.statement)).toThrow('not valid');
      return;
    }
    expect(statementGroupFaults(vector.statement)).toEqual([]);
    const run = (): Promise<unknown> => runWithImages({}, (context) => evaluateStatementGroup(vector.statement, vector.values, context));
    if (expectsError(vector)) await expectFault(vector, run);
    else expect(await run()).toBe(vector.expected);
  });
});
