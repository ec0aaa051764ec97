// json_parser: the fields of JSON text, and error_status for missing fields and invalid text.

import { describe, expect, test } from 'vitest';
import { parseJson } from '../../../src/core/json/json.ts';
import { jsonParser } from '../../../src/steps/roboflow/json-parser.ts';
import type { StepPlan } from '../../../src/steps/step-type.ts';
import { faultsOf, stepContext } from './step-context.ts';

function plan(raw: unknown, fields: string[]): StepPlan {
  return jsonParser.plan({ raw_json: raw, expected_fields: fields }, stepContext());
}

function giving(outputs: object): object {
  return { kind: 'completed', outputs };
}

const DOCUMENT = '{"a":"1","b":"2"}';

describe('JSON text', () => {
  test('json_parser outputs each expected field and leaves out the others', () => {
    expect(plan(DOCUMENT, ['a', 'b'])).toEqual(giving({ error_status: false, a: '1', b: '2' }));
    expect(plan(DOCUMENT, ['a'])).toEqual(giving({ error_status: false, a: '1' }));
    expect(plan(DOCUMENT, [])).toEqual(giving({ error_status: false }));
  });

  test('a missing field is null with an error, and a field with null is no error', () => {
    expect(plan(DOCUMENT, ['a', 'b', 'c'])).toEqual(giving({ error_status: true, a: '1', b: '2', c: null }));
    expect(plan('{"a":null}', ['a'])).toEqual(giving({ error_status: false, a: null }));
  });

  test('json_parser keeps numbers exactly as written', () => {
    expect(plan('{"a":1.0,"b":12345678901234567890}', ['a', 'b'])).toEqual(
      giving({ error_status: false, a: parseJson('1.0'), b: parseJson('12345678901234567890') }),
    );
  });

  for (const text of [
    `\`\`\`json\n${DOCUMENT}\n\`\`\``,
    `\`\`\`json${DOCUMENT}\`\`\``,
    `\`\`\`JSON\n  ${DOCUMENT}\n  \`\`\``,
    `Here you are:\n\n    \`\`\`json\n    ${DOCUMENT}\n    \`\`\`\nAnything else?`,
    `\`\`\`json\n${DOCUMENT}\n\`\`\`\n\`\`\`json\n{"a":"second"}\n\`\`\``,
  ]) {
    test(`JSON is found in its Markdown block: ${JSON.stringify(text).slice(0, 60)}`, () => {
      expect(plan(text, ['a', 'b'])).toEqual(giving({ error_status: false, a: '1', b: '2' }));
    });
  }
});

describe('text that is not a JSON object', () => {
  const texts = [
    '',
    'invalid',
    `${DOCUMENT} ${DOCUMENT}`,
    '[1]',
    '"a"',
    'null',
    '5',
    '5.0',
    'true',
    '```json',
    '```json\nnope\n```',
    '\uFEFF{}',
    'NaN',
  ];
  for (const text of [...texts, '['.repeat(200_000), `{"a":${'['.repeat(200_000)}`]) {
    test(`${JSON.stringify(text.slice(0, 30))} is an error, with all fields null`, () => {
      expect(plan(text, ['a', 'text', 'length'])).toEqual(giving({ error_status: true, a: null, text: null, length: null }));
    });
  }

  test('invalid JSON is an error without expected fields as well', () => {
    expect(plan('invalid', [])).toEqual(giving({ error_status: true }));
  });

  test('a field that the object does not have itself is null', () => {
    expect(plan('{}', ['__proto__', 'constructor'])).toMatchObject({ outputs: { error_status: true, constructor: null } });
    expect(Object.keys((plan('{"__proto__":1}', ['__proto__']) as { outputs: object }).outputs)).toEqual(['__proto__', 'error_status']);
  });

  test('text with many unfinished blocks is read in one pass', () => {
    expect(plan('```json '.repeat(200_000), ['a'])).toMatchObject({ outputs: { error_status: true } });
  });
});

test('a value that is not text fails the step with a reason', () => {
  for (const raw of [null, 5, []]) {
    expect(plan(raw, ['a'])).toMatchObject({
      kind: 'failed',
      error: { code: 'invalid_setting', message: expect.stringContaining('raw_json must be text') },
    });
  }
});

test('an object counts as parsed JSON, like the body of a request', () => {
  expect(plan({ a: { b: 1 }, c: 2 }, ['a'])).toEqual(giving({ error_status: false, a: { b: 1 } }));
  expect(plan({}, ['a'])).toEqual(giving({ error_status: true, a: null }));
});

test('a received file fails the step, which names sluice/read_file', () => {
  const file = { name: 'body', filename: null, content_type: 'application/json', size: 2, sha256: 'a'.repeat(64) };
  const context = stepContext({ roots: { inputs: {}, steps: {}, request: { files: [file] } } });
  expect(jsonParser.plan({ raw_json: file, expected_fields: ['a'] }, context)).toMatchObject({
    kind: 'failed',
    error: { code: 'invalid_setting', message: 'raw_json is a file: read it with sluice/read_file@v1 first' },
  });
});

test('the outputs are the fields and error_status, which is a reserved name', () => {
  expect(jsonParser.outputs({ raw_json: '', expected_fields: ['a', 'b'] })).toEqual(['error_status', 'a', 'b']);
  expect(faultsOf(jsonParser, { raw_json: '$steps.lmm.output', expected_fields: ['a'] })).toEqual([]);
  expect(faultsOf(jsonParser, { raw_json: '{}', expected_fields: ['a', 'error_status'] })).toEqual([
    'expected_fields[1]: `error_status` is reserved field name and cannot be used in `expected_fields` of `roboflow_core/json_parser@v1` block.',
  ]);
});
