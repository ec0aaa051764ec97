// Rules for every step type in the list, and the behaviour of Sluice's own.

import { describe, expect, test } from 'vitest';
import { parseJson, stringifyJson } from '../../src/core/json/json.ts';
import { builtinStepTypes } from '../../src/steps/builtin.ts';
import { createStepTypes } from '../../src/steps/registry.ts';
import { delay } from '../../src/steps/sluice/delay.ts';
import { fail } from '../../src/steps/sluice/fail.ts';
import { set } from '../../src/steps/sluice/set.ts';
import type { StepType } from '../../src/steps/step-type.ts';
import { stepContext } from './roboflow/step-context.ts';

const context = stepContext();

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null) for (const part of Object.values(Object.freeze(value))) deepFreeze(part);
  return value;
}

/** A manifest that fits the type's own schema, with the first value that each required property allows. */
function exampleOf({ type, required, properties }: StepType): Record<string, unknown> {
  const values = required.map((name) => [name, valueFor(properties[name] ?? {})]);
  return { type, name: 'example', ...(Object.fromEntries(values) as object) };
}

function valueFor(schema: any): unknown {
  if (schema.default !== undefined) return schema.default;
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum[0];
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives !== undefined) return valueFor(alternatives[0]);
  switch (Array.isArray(schema.type) ? schema.type[0] : schema.type) {
    case 'object':
      return Object.fromEntries((schema.required ?? []).map((name: string) => [name, valueFor(schema.properties[name])]));
    case 'array':
      return [];
    case 'integer':
    case 'number':
      return schema.minimum ?? 1;
    case 'boolean':
      return true;
    default:
      return 'https://example.org/';
  }
}

describe('every step type in the list', () => {
  test('every step type has its own id', () => {
    const ids = builtinStepTypes.map(({ type }) => type);
    expect(new Set(ids).size).toBe(ids.length);
    expect(() => createStepTypes([...builtinStepTypes, builtinStepTypes[0] as StepType])).toThrow('two step types share an id');
  });

  for (const stepType of builtinStepTypes) {
    describe(stepType.type, () => {
      test(`${stepType.type} is named owner/name@version`, () => {
        expect(stepType.type).toMatch(/^[a-z0-9_]+\/[a-z0-9_]+@v\d+$/);
      });

      test(`${stepType.type} requires only properties that it has, and none of those of every step`, () => {
        for (const name of stepType.required) expect(Object.keys(stepType.properties)).toContain(name);
        for (const name of ['type', 'name', 'retry']) expect(Object.keys(stepType.properties)).not.toContain(name);
      });

      test(`${stepType.type} ${stepType.ignoresUnknown === true ? 'ignores' : 'reports'} an unknown field of its manifest`, () => {
        const { faults } = createStepTypes(builtinStepTypes).inspect(stepType.type, { ...exampleOf(stepType), no_such_field: 1 });
        const text = faults.map(({ message }) => message).join();
        if (stepType.ignoresUnknown === true) expect(text).not.toContain('no_such_field');
        else expect(text).toContain('unknown field "no_such_field"; known are type, name, retry');
      });

      test(`${stepType.type} plans without changing its manifest or its context`, () => {
        const manifest = exampleOf(stepType);
        const before = JSON.stringify(manifest);
        const plan = stepType.plan(deepFreeze(manifest), deepFreeze({ ...context }));
        expect(['completed', 'failed', 'wait', 'deliver', 'load', 'write']).toContain(plan.kind);
        expect(JSON.stringify(manifest)).toBe(before);
        const isAwaited = plan.kind === 'write' || (plan.kind === 'deliver' && plan.outcome === null);
        if (isAwaited) expect(stepType.interpret).toBeTypeOf('function');
      });

      test(`${stepType.type} repeats its plan for the same input`, () => {
        const manifest = exampleOf(stepType);
        expect(stepType.plan(manifest, context)).toEqual(stepType.plan(manifest, context));
      });
    });
  }
});

describe('sluice/set@v1', () => {
  test('sluice/set outputs each value under its own name', () => {
    const values = { a: 1, 'b-c': [true, null], d: { e: 'f' } };
    expect(set.plan({ values }, context)).toEqual({ kind: 'completed', outputs: values });
    expect(set.outputs({ values })).toEqual(['a', 'b-c', 'd']);
  });
});

describe('sluice/delay@v1', () => {
  for (const seconds of [0, 1.5, 31_622_400, '2', '1.5', parseJson('1.50')]) {
    test(`sluice/delay waits ${stringifyJson(seconds)} seconds`, () => {
      expect(delay.plan({ seconds }, context)).toMatchObject({ kind: 'wait', seconds: Number(seconds), outcome: { kind: 'completed' } });
    });
  }

  for (const seconds of [-1, 31_622_401, 'soon', '', ' ', '0x10', null, true, [], [5], {}, Number.NaN, parseJson('1e400')]) {
    test(`sluice/delay fails for ${String(stringifyJson(seconds))} seconds, naming the valid range and without a retry`, () => {
      expect(delay.plan({ seconds }, context)).toEqual({
        kind: 'failed',
        retryable: false,
        error: { code: 'invalid_delay', message: 'seconds must be a number from 0 to 31622400' },
      });
    });
  }

  test('sluice/delay chooses the steps that it names', () => {
    expect(delay.plan({ seconds: 0, next_steps: ['$steps.a', '$steps.b'] }, context)).toMatchObject({ outcome: { chosen: ['a', 'b'] } });
  });
});

describe('sluice/fail@v1', () => {
  test('sluice/fail fails with its code and message, and can be retried', () => {
    expect(fail.plan({ code: 'no_luck', message: 'm' }, context)).toEqual({
      kind: 'failed',
      retryable: true,
      error: { code: 'no_luck', message: 'm' },
    });
    expect(fail.plan({}, context)).toMatchObject({ error: { code: 'failed', message: 'the workflow failed on purpose' } });
  });

  test('sluice/fail fails as often as configured, then completes', () => {
    const kinds = [1, 2, 3].map((attempt) => fail.plan({ times: 2 }, { ...context, attempt }).kind);
    expect(kinds).toEqual(['failed', 'failed', 'completed']);
  });
});
