// Every property of every block with every value, against the verdicts of Roboflow's own manifests. The same rule of
// coercion applies to manifests, operations and selected values.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { coerceBoolean, coerceFloat, coerceInteger, isCoercible } from '../../../src/core/values/coercion.ts';
import { createStepTypes } from '../../../src/steps/registry.ts';
import { roboflowStepTypes } from '../../../src/steps/roboflow/index.ts';
import { stepContext } from './step-context.ts';

interface Block {
  /** A valid manifest with all properties that Roboflow knows. */
  manifest: Record<string, unknown>;
  required: string[];
  /** By property: one digit for each of the values, `1` if it is valid in its place. */
  valid: Record<string, string>;
}

interface Recorded {
  values: unknown[];
  blocks: Record<string, Block>;
}

const file = resolve(import.meta.dirname, '../../vectors/manifest_vectors.json');
const { values, blocks } = JSON.parse(readFileSync(file, 'utf8')) as Recorded;
const stepTypes = createStepTypes(roboflowStepTypes);

function faultsOf(type: string, manifest: Record<string, unknown>): string[] {
  return stepTypes.inspect(type, { type, name: 'step', ...manifest }).faults.map(({ path, message }) => `${path} ${message}`);
}

/** Roboflow reports these faults in a run, or needs its own servers; Sluice reports them when the workflow is saved. */
const REPORTED_EARLIER = /there is no value of this name|the default, needs Roboflow's servers/;

test("every block exists with every property of Roboflow's", () => {
  expect(Object.keys(blocks).sort()).toEqual(roboflowStepTypes.map(({ type }) => type).sort());
  const additions = ['api_url', 'signing_secret'];
  for (const { type, properties } of roboflowStepTypes) {
    // Files are not sent to Slack.
    const others = type === 'roboflow_core/slack_notification@v1' ? [...additions, 'attachments'] : additions;
    const known = Object.keys(properties).filter((name) => !others.includes(name));
    expect(Object.keys(blocks[type]?.manifest ?? {}).sort(), type).toEqual(known.sort());
  }
});

describe.each(Object.entries(blocks))('%s', (type, { manifest, required, valid }) => {
  test(`the recorded manifest of ${type} is valid`, () => {
    expect(faultsOf(type, manifest)).toEqual([]);
  });

  test.each(Object.entries(valid))(`the verdicts on ${type}.%s match Roboflow's`, (property, verdicts) => {
    expect(verdicts).toHaveLength(values.length);
    for (const [index, value] of values.entries()) {
      const faults = faultsOf(type, { ...manifest, [property]: value }).filter((fault) => !REPORTED_EARLIER.test(fault));
      expect(faults.length === 0, `${JSON.stringify(value)}: ${faults[0] ?? 'accepted'}`).toBe(verdicts[index] === '1');
      if (faults.length > 0) expect(faults.join()).toContain(property);
    }
    const { [property]: _left, ...others } = manifest;
    const faults = faultsOf(type, others).filter((fault) => !REPORTED_EARLIER.test(fault));
    expect(faults, `${property} left out`).toHaveLength(required.includes(property) ? 1 : 0);
  });
});

const nullables = Object.entries(blocks).flatMap(([type, { valid }]) =>
  Object.entries(valid).flatMap(([property, verdicts]) => (verdicts[values.indexOf(null)] === '1' ? [[type, property] as const] : [])),
);

test.each(nullables)('%s runs with %s as null as it does without it', (type, property) => {
  const { [property]: _left, ...others } = (blocks[type] as Block).manifest;
  const plan = (manifest: Record<string, unknown>): unknown => stepTypes.find(type)?.plan(manifest, stepContext());
  expect(plan({ ...others, [property]: null })).toEqual(plan(others));
});

describe('coercion', () => {
  const cases: [given: unknown, integer: bigint | null, float: number | null, boolean: boolean | null][] = [
    ['3', 3n, 3, null],
    [' 3 ', 3n, 3, null],
    ['+3', 3n, 3, null],
    ['-3.00', -3n, -3, null],
    ['3.', null, 3, null],
    ['3.5', null, 3.5, null],
    ['.5', null, 0.5, null],
    ['1e3', null, 1000, null],
    ['1_000', 1000n, 1000, null],
    ['1__0', null, null, null],
    ['_1', null, null, null],
    ['007', 7n, 7, null],
    ['0x10', null, null, null],
    ['', null, null, null],
    ['３', null, null, null],
    ['inf', null, Number.POSITIVE_INFINITY, null],
    ['nan', null, Number.NaN, null],
    ['9'.repeat(4301), null, Number.POSITIVE_INFINITY, null],
    ['1', 1n, 1, true],
    ['0', 0n, 0, false],
    ['TRUE', null, null, true],
    [' true', null, null, null],
    ['Yes', null, null, true],
    ['off', null, null, false],
    [true, 1n, 1, true],
    [false, 0n, 0, false],
    [2, 2n, 2, null],
    [2.5, null, 2.5, null],
    [null, null, null, null],
    [[], null, null, null],
    [['1'], null, null, null],
    [{}, null, null, null],
  ];
  test.each(cases)('the coercion of %j is that of pydantic', (given, integer, float, boolean) => {
    expect(coerceInteger(given)).toBe(integer);
    expect(coerceFloat(given)).toBe(float);
    expect(coerceBoolean(given)).toBe(boolean);
  });

  test('coercion precedes the bounds, and NaN is beyond all bounds', () => {
    expect(isCoercible({ to: 'integer', minimum: 0, maximum: 900 }, '900')).toBe(true);
    expect(isCoercible({ to: 'integer', minimum: 0, maximum: 900 }, '901')).toBe(false);
    expect(isCoercible({ to: 'number', exclusiveMinimum: 0 }, false)).toBe(false);
    expect(isCoercible({ to: 'number', exclusiveMinimum: 0 }, '0.5')).toBe(true);
    expect(isCoercible({ to: 'number', minimum: 0 }, 'nan')).toBe(false);
  });

  test('the coercion of a text as long as a body is fast', () => {
    const started = performance.now();
    for (const text of ['9'.repeat(1_000_000), ' '.repeat(1_000_000), `${' '.repeat(500_000)}x`]) {
      expect(coerceInteger(text)).toBeNull();
      coerceFloat(text);
      expect(coerceBoolean(text)).toBeNull();
    }
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
