// The registry of step types: lookup by id and alias, checks of manifests, descriptions, and reports of unknown types.

import { describe, expect, test } from 'vitest';
import { builtinStepTypes } from '../../src/steps/builtin.ts';
import { createStepTypes } from '../../src/steps/registry.ts';
import type { StepType } from '../../src/steps/step-type.ts';

function stepType(parts: Partial<StepType>): StepType {
  return {
    type: 'test/one@v1',
    properties: {},
    required: [],
    outputs: () => [],
    plan: () => ({ kind: 'completed', outputs: {} }),
    ...parts,
  };
}

const one = stepType({ aliases: ['One', 'one@v1'] });

describe('a step type', () => {
  test('a step type is found by its id and its aliases, and so are its manifests', () => {
    const types = createStepTypes([one]);
    for (const id of ['test/one@v1', 'One', 'one@v1']) {
      expect(types.find(id)).toBe(one);
      expect(types.inspect(id, { type: id, name: 'a' }).faults).toEqual([]);
    }
    for (const id of ['', 'one', 'test/one', '__proto__', 'constructor', 'toString']) expect(types.find(id)).toBeUndefined();
  });

  test('two step types with the same id or alias are refused', () => {
    for (const other of [stepType({}), stepType({ type: 'One' }), stepType({ type: 'test/two@v1', aliases: ['one@v1'] })])
      expect(() => createStepTypes([one, other])).toThrow('two step types share an id');
    expect(() => createStepTypes([stepType({ aliases: ['test/one@v1'] })])).toThrow('two step types share an id: test/one@v1');
  });

  test('unknown fields are accepted if the type ignores them, and otherwise reported by name', () => {
    const manifest = { type: 'test/one@v1', name: 'a', more: 1 };
    expect(createStepTypes([stepType({ ignoresUnknown: true })]).inspect('test/one@v1', manifest).faults).toEqual([]);
    expect(createStepTypes([stepType({})]).inspect('test/one@v1', manifest).faults).toEqual([
      { path: '', message: 'unknown field "more"; known are type, name, retry, max_visits, on_success, on_failure' },
    ]);
  });

  test('the report of a manifest says which properties name steps', () => {
    const step = { type: 'string', pattern: '^\\$steps\\.[A-Za-z_0-9-]+$' };
    const properties = {
      next_steps: { type: 'array', items: { type: 'string' } },
      cases: { type: 'object', additionalProperties: step },
      value: { type: 'string', pattern: '^\\$[a-z]' },
    };
    const { acceptsSteps } = createStepTypes([stepType({ properties })]).inspect('test/one@v1', { type: 'test/one@v1', name: 'a' });
    expect(['next_steps', 'cases', 'value', 'name', 'unknown', 'constructor'].filter(acceptsSteps)).toEqual(['next_steps', 'cases']);
  });
});

test('every built-in step type is found from the start', () => {
  const types = createStepTypes(builtinStepTypes);
  for (const { type } of builtinStepTypes) expect(types.find(type)?.type).toBe(type);
});

describe('an unknown step type', () => {
  const types = createStepTypes([
    stepType({ type: 'roboflow_core/webhook_sink@v1' }),
    stepType({ type: 'roboflow_core/continue_if@v1', aliases: ['ContinueIf'] }),
    stepType({ type: 'sluice/set@v1' }),
  ]);
  const messageOf = (type: string): string =>
    types
      .inspect(type, { type, name: 'a' })
      .faults.map(({ message }) => message)
      .join();
  const KNOWN = 'nown are roboflow_core/webhook_sink@v1, roboflow_core/continue_if@v1, sluice/set@v1';

  for (const [wrong, meant] of [
    ['roboflow_core/webhook_sink@v2', '"roboflow_core/webhook_sink@v1"'],
    ['WebhookSink', '"roboflow_core/webhook_sink@v1"'],
    ['webhook_snk', '"roboflow_core/webhook_sink@v1"'],
    ['continueif', '"roboflow_core/continue_if@v1" or "ContinueIf"'],
    ['sluice/sett@v1', '"sluice/set@v1"'],
    ['sluice/SET@v1', '"sluice/set@v1"'],
  ] as const)
    test(`an unknown step type is reported with the intended one: ${wrong}`, () => {
      const message = messageOf(wrong);
      expect(message).toContain(`"${wrong}" is not a step type; did you mean`);
      for (const name of meant.split(' or ')) expect(message).toContain(name);
      expect(message).toContain(`? K${KNOWN}`);
    });

  for (const wrong of ['', 'x', 'roboflow_core/yolo@v1', 'CSVSink', '__proto__', '@', '/', '💥'])
    test(`an unknown step type without a similar one is reported with the known types: ${JSON.stringify(wrong)}`, () => {
      expect(messageOf(wrong)).toBe(`"${wrong}" is not a step type; k${KNOWN}`);
    });

  test('an endless name of a step type is reported quickly, and truncated', () => {
    expect(messageOf('webhook'.repeat(100_000)).length).toBeLessThan(300);
  });
});

describe('the description of a step type', () => {
  test('the description of a step type has its id, its summary and the schema of its manifests', () => {
    const described = createStepTypes(builtinStepTypes).describe();
    expect(described.map(({ type }) => type)).toEqual(builtinStepTypes.map(({ type }) => type));
    for (const { type, aliases, summary, manifest } of described) {
      expect(summary, type).toMatch(/^[A-Z].+\.$/);
      expect(manifest['properties'], type).toMatchObject({ type: { enum: [type, ...aliases] }, name: { type: 'string' } });
      expect(JSON.parse(JSON.stringify(manifest))).toEqual(manifest);
    }
  });

  test('the description of a step type names its outputs, or says that they depend on the manifest', () => {
    const outputsOf = (outputs: StepType['outputs']): unknown => createStepTypes([stepType({ outputs })]).describe()[0]?.outputs;
    expect(outputsOf(() => ['a', 'b'])).toEqual(['a', 'b']);
    expect(outputsOf(() => null)).toBeNull();
    expect(outputsOf(({ values }) => Object.keys(values as object))).toBeNull();
    expect(outputsOf(({ fields }) => ['error_status', ...((fields as string[] | undefined) ?? [])])).toBeNull();
  });
});
