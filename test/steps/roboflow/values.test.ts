// Steps that choose or transform values: property_definition, expression, first_non_empty_or_default, the cache and the
// secrets store.

import { describe, expect, test } from 'vitest';
import { parseJson } from '../../../src/core/json/json.ts';
import { ImagesWanted } from '../../../src/core/uql/image.ts';
import { Bytes } from '../../../src/core/values/bytes.ts';
import { cacheGet } from '../../../src/steps/roboflow/cache-get.ts';
import { cacheSet } from '../../../src/steps/roboflow/cache-set.ts';
import { environmentSecretsStore } from '../../../src/steps/roboflow/environment-secrets-store.ts';
import { expression } from '../../../src/steps/roboflow/expression.ts';
import { firstNonEmptyOrDefault } from '../../../src/steps/roboflow/first-non-empty-or-default.ts';
import { propertyDefinition } from '../../../src/steps/roboflow/property-definition.ts';
import type { StepContext, StepPlan } from '../../../src/steps/step-type.ts';
import { faultsOf, stepContext } from './step-context.ts';

function giving(output: unknown): object {
  return { kind: 'completed', outputs: { output } };
}

const unloaded: Partial<StepContext> = {
  images: {
    size(image) {
      throw new ImagesWanted([{ image, form: { kind: 'size' } }]);
    },
    jpeg(image, quality) {
      throw new ImagesWanted([{ image, form: { kind: 'jpeg', quality } }]);
    },
  },
};

describe('roboflow_core/property_definition@v1', () => {
  const plan = (data: unknown, operations: { type: string }[], context: Partial<StepContext> = {}): StepPlan =>
    propertyDefinition.plan({ data, operations }, stepContext(context));

  test('property_definition outputs the value after its operations, or unchanged without any', () => {
    expect(plan(['a', 'b'], [{ type: 'SequenceLength' }])).toEqual(giving(2));
    expect(plan({ a: null }, [])).toEqual(giving({ a: null }));
  });

  test('property_definition requests an image before it reads it, and outputs bytes as bytes', () => {
    const image = { type: 'base64', value: '/9j/AA==' };
    expect(plan(image, [{ type: 'ConvertImageToJPEG' }], unloaded)).toEqual({
      kind: 'load',
      wants: [{ image, form: { kind: 'jpeg', quality: 95 } }],
    });
    expect(plan(image, [{ type: 'ConvertImageToJPEG' }])).toEqual(giving(new Bytes(new Uint8Array([0xff, 0xd8, 0xff]))));
  });

  test('property_definition fails with a reason for a value that an operation does not accept', () => {
    expect(plan(5, [{ type: 'StringToUpperCase' }])).toMatchObject({
      kind: 'failed',
      retryable: false,
      error: { code: 'operation_failed', message: expect.stringContaining('requires string as input data') },
    });
  });

  test('property_definition refuses invalid operations with their place', () => {
    expect(faultsOf(propertyDefinition, { data: '$inputs.x', operations: [{ type: 'SequenceLength' }] })).toEqual([]);
    expect(faultsOf(propertyDefinition, { data: '$inputs.x', operations: [{ type: 'Nope' }] })[0]).toMatch(
      /^operations\[0\]\.type: "Nope" is not an operation/,
    );
    expect(faultsOf(propertyDefinition, { data: 'literal', operations: [] })).toEqual([
      'data: must be a selector of a value, such as "$inputs.x" or "$steps.name.output"',
    ]);
  });
});

describe('roboflow_core/expression@v1', () => {
  const is = (name: string, value: unknown): object => ({
    type: 'StatementGroup',
    statements: [
      {
        type: 'BinaryStatement',
        left_operand: { type: 'DynamicOperand', operand_name: name },
        comparator: { type: '==' },
        right_operand: { type: 'StaticOperand', value },
      },
    ],
  });
  const fixed = (value: unknown) => ({ type: 'StaticCaseResult' as const, value });
  const dynamic = (name: string, operations?: { type: string }[]) => ({
    type: 'DynamicCaseResult' as const,
    parameter_name: name,
    ...(operations === undefined ? {} : { operations }),
  });
  const switchOf = (
    cases: { condition: object; result: ReturnType<typeof fixed | typeof dynamic> }[],
    otherwise: ReturnType<typeof fixed | typeof dynamic> = fixed('default'),
  ) => ({
    type: 'CasesDefinition',
    cases: cases.map((item) => ({ type: 'CaseDefinition', ...item })),
    default: otherwise,
  });
  const plan = (
    data: Record<string, unknown>,
    cases: ReturnType<typeof switchOf>,
    operations: Record<string, { type: string }[]> = {},
  ): StepPlan => expression.plan({ data, data_operations: operations, switch: cases }, stepContext());

  test('expression outputs the default without cases, and if no condition is true', () => {
    expect(plan({}, switchOf([]))).toEqual(giving('default'));
    expect(plan({ a: 1 }, switchOf([{ condition: is('a', 2), result: fixed('two') }]))).toEqual(giving('default'));
  });

  test('expression outputs the result of the first case whose condition is true', () => {
    const cases = [1, 2].map((number) => ({ condition: is('a', 'x'), result: fixed(number) }));
    expect(plan({ a: 'x' }, switchOf(cases))).toEqual(giving(1));
  });

  test('expression transforms values before the conditions, and results before the output', () => {
    const upper = { a: [{ type: 'StringToUpperCase' }] };
    expect(plan({ a: 'some' }, switchOf([{ condition: is('a', 'SOME'), result: dynamic('a') }]), upper)).toEqual(giving('SOME'));
    const mutated = dynamic('a', [{ type: 'LookupTable', lookup_table: { SOME: 'MUTATED' } } as { type: string }]);
    expect(plan({ a: 'some' }, switchOf([{ condition: is('a', 'SOME'), result: mutated }]), upper)).toEqual(giving('MUTATED'));
  });

  test('expression fails for an operand that is missing or cannot be compared', () => {
    expect(plan({}, switchOf([{ condition: is('a', 1), result: fixed(1) }]))).toMatchObject({
      kind: 'failed',
      error: { message: expect.stringContaining('undefined symbol `a`') },
    });
    const empty = {
      type: 'StatementGroup',
      statements: [
        { type: 'UnaryStatement', operand: { type: 'DynamicOperand', operand_name: 'a' }, operator: { type: '(Sequence) is empty' } },
      ],
    };
    expect(plan({ a: 1 }, switchOf([{ condition: empty, result: fixed(1) }]))).toMatchObject({
      kind: 'failed',
      error: { code: 'operation_failed' },
    });
  });

  test('expression refuses references to values that it does not have', () => {
    const data = { a: '$inputs.a' };
    expect(faultsOf(expression, { data, switch: switchOf([{ condition: is('a', 1), result: dynamic('a') }]) })).toEqual([]);
    expect(faultsOf(expression, { data, switch: switchOf([], dynamic('b')) })).toEqual([
      'switch.default.parameter_name: data has no value of this name; known are a',
    ]);
    expect(faultsOf(expression, { data, data_operations: { b: [] }, switch: switchOf([]) })).toEqual([
      'data_operations.b: there is no value of this name; known are a',
    ]);
    expect(
      faultsOf(expression, {
        data,
        switch: switchOf([{ condition: { type: 'StatementGroup', statements: [] }, result: dynamic('a', [{ type: 'Nope' }]) }]),
      }),
    ).toEqual([
      'switch.cases[0].condition.statements: must be a list of at least one statement',
      expect.stringMatching(/^switch\.cases\[0\]\.result\.operations\[0\]\.type: "Nope"/),
    ]);
    expect(
      faultsOf(expression, { data, switch: { type: 'CasesDefinition', cases: [], default: { type: 'Else' } } }).length,
    ).toBeGreaterThan(0);
  });
});

describe('roboflow_core/first_non_empty_or_default@v1', () => {
  const plan = (data: unknown[], given: object = {}): StepPlan => firstNonEmptyOrDefault.plan({ data, ...given }, stepContext());

  test('first_non_empty_or_default outputs the first value that is not null; false, 0 and empty values count', () => {
    expect(plan([null, null, null], { default: 'some' })).toEqual(giving('some'));
    expect(plan([null, 'x', null])).toEqual(giving('x'));
    expect(plan([null, 'x', 'y'])).toEqual(giving('x'));
    for (const value of [false, 0, '', [], {}]) expect(plan([null, value, 'y'])).toEqual(giving(value));
    expect(plan([null])).toEqual(giving(null));
  });

  test('first_non_empty_or_default runs if its selectors select nothing, and accepts only selectors', () => {
    expect(firstNonEmptyOrDefault.nulls).toBe('merge');
    expect(faultsOf(firstNonEmptyOrDefault, { data: [] })).toEqual(['data: must NOT have fewer than 1 items']);
    expect(faultsOf(firstNonEmptyOrDefault, { data: ['x'] })).toHaveLength(1);
  });
});

describe('roboflow_core/cache_get@v1 and cache_set@v1', () => {
  const door = { video_metadata: { video_identifier: 'door' } };
  const set = (manifest: { image?: unknown; key: unknown; value: unknown }): StepPlan => cacheSet.plan(manifest, stepContext());
  const get = (memory: unknown): StepPlan => cacheGet.plan({ key: 'foo' }, stepContext({ memory }));

  test('cache_get outputs the value that cache_set stored under the same key of the same video', () => {
    expect(set({ key: 'foo', value: 'bar' })).toEqual({ ...giving('bar'), remember: { value: 'bar' } });
    expect(get({ value: 'bar' })).toEqual(giving('bar'));
    const keyOf = (image: unknown, key: unknown): unknown => cacheSet.memoryKey?.({ image, key, value: 1 }, { step: 'a', written: {} });
    expect(keyOf(door, 'foo')).toBe(cacheGet.memoryKey?.({ image: door, key: 'foo' }, { step: 'b', written: {} }));
    expect(
      new Set([
        keyOf(door, 'foo'),
        keyOf(null, 'foo'),
        keyOf(door, 'bar'),
        keyOf({ video_metadata: { video_identifier: 'door","x' } }, 'foo'),
      ]).size,
    ).toBe(4);
  });

  test('cache_get outputs false without an entry, and null for a stored null', () => {
    expect(get(null)).toEqual(giving(false));
    expect(get({ value: null })).toEqual(giving(null));
    expect(get({ value: parseJson('1.0') })).toEqual(giving(parseJson('1.0')));
  });

  test('cache_get and cache_set fail for a key that is not text', () => {
    for (const key of [null, 5, ['foo'], {}]) {
      expect(cacheSet.memoryKey?.({ key, value: 1 }, { step: 'a', written: {} })).toBeNull();
      expect(set({ key, value: 1 })).toMatchObject({ kind: 'failed', error: { code: 'invalid_setting' } });
      expect(cacheGet.plan({ key }, stepContext())).toMatchObject({ kind: 'failed', error: { code: 'invalid_setting' } });
    }
  });
});

describe('roboflow_core/environment_secrets_store@v1', () => {
  const manifest = { variables_storing_secrets: ['SLACK_TOKEN', 'Other'] };

  test('environment_secrets_store outputs each secret under its name in lower case, null if it is not set or not allowed', () => {
    const secret = (name: string): string | null => (name === 'SLACK_TOKEN' ? 'stand-in' : null);
    expect(environmentSecretsStore.plan(manifest, stepContext({ secret }))).toEqual({
      kind: 'completed',
      outputs: { slack_token: 'stand-in', other: null },
    });
    expect(environmentSecretsStore.outputs(manifest)).toEqual(['slack_token', 'other']);
  });

  test('environment_secrets_store refuses an empty list, and two names with the same output', () => {
    expect(faultsOf(environmentSecretsStore, manifest)).toEqual([]);
    expect(faultsOf(environmentSecretsStore, { variables_storing_secrets: [] })).toHaveLength(1);
    expect(faultsOf(environmentSecretsStore, { variables_storing_secrets: '$inputs.names' })).toHaveLength(1);
    expect(faultsOf(environmentSecretsStore, { variables_storing_secrets: ['A', 'a'] })).toEqual([
      'variables_storing_secrets[1]: an earlier entry already has the output "a"',
    ]);
  });
});
