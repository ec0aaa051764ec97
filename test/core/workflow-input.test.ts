// Inputs of a workflow: where each is found in the request, what it becomes, and what does not fit.

import { describe, expect, test } from 'vitest';
import { parseJson, stringifyJson } from '../../src/core/json/json.ts';
import type { FileHandle, Request } from '../../src/core/run/request.ts';
import type { InputType } from '../../src/core/workflow/document.ts';
import { bindInputs } from '../../src/core/workflow/inputs.ts';
import type { WorkflowInput } from '../../src/core/workflow/plan.ts';
import { AppError } from '../../src/errors.ts';

const FILE: FileHandle = { name: 'picture', filename: 'a.png', content_type: 'image/png', size: 1, sha256: 'f'.repeat(64) };
const FORM = 'application/x-www-form-urlencoded';

function request(parts: Partial<Request>): Request {
  return {
    method: 'POST',
    path: '/',
    params: {},
    query: {},
    headers: {},
    body: null,
    content_type: 'application/json',
    files: [],
    client_ip: '127.0.0.1',
    received_at: 0,
    ...parts,
  };
}

interface Declared {
  type?: InputType;
  kind?: string[];
  default_value?: unknown;
}

function bind(declared: Record<string, Declared>, parts: Partial<Request>, mapping: Record<string, string> = {}): Record<string, unknown> {
  const inputs: WorkflowInput[] = Object.entries(declared).map(([name, { type = 'WorkflowParameter', kind = ['*'], ...rest }]) => ({
    name,
    type,
    kinds: kind,
    ...('default_value' in rest ? { defaultValue: rest.default_value } : {}),
  }));
  return bindInputs({ id: 'w', version: 1, inputs }, mapping, request(parts), parts.content_type === FORM ? 'form' : 'json');
}

function refusal(run: () => unknown): AppError {
  try {
    run();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('where an input is found', () => {
  const everywhere: Partial<Request> = {
    body: { x: 'body' },
    files: [{ ...FILE, name: 'x' }],
    params: { x: 'param' },
    query: { x: 'query' },
  };

  test('in the body first, then among files, path parameters, the query, and its default', () => {
    expect(bind({ x: {} }, everywhere)).toEqual({ x: 'body' });
    expect(bind({ x: {} }, { ...everywhere, body: {} })).toEqual({ x: { ...FILE, name: 'x' } });
    expect(bind({ x: {} }, { ...everywhere, body: {}, files: [] })).toEqual({ x: 'param' });
    expect(bind({ x: {} }, { query: { x: 'query' } })).toEqual({ x: 'query' });
    expect(bind({ x: { default_value: 'default' } }, {})).toEqual({ x: 'default' });
  });

  test('only at the top of the body, and in no list or text', () => {
    for (const body of [{ deep: { x: 1 } }, [{ x: 1 }], 'x', 5, null])
      expect(bind({ x: { default_value: 'none' } }, { body })).toEqual({ x: 'none' });
  });

  test('under its exact name alone, and never on a prototype', () => {
    for (const name of ['toString', 'constructor', 'hasOwnProperty', 'length'])
      expect(bind({ [name]: { default_value: 'none' } }, { body: {}, query: {} })).toEqual({ [name]: 'none' });
    expect(bind({ Name: { default_value: 'none' } }, { body: { name: 1 } })).toEqual({ Name: 'none' });
  });

  test('several files of one name are a list', () => {
    expect(bind({ picture: {} }, { files: [FILE, FILE] })).toEqual({ picture: [FILE, FILE] });
  });

  test('null in the body is a value, and not a thing that is missing', () => {
    expect(bind({ x: { kind: ['string'], default_value: 'default' } }, { body: { x: null } })).toEqual({ x: null });
  });
});

describe('an explicit mapping', () => {
  test('is where the input is looked for, and nowhere else', () => {
    const parts = { body: { user: 'wrong', deep: { user: 'right' } }, headers: { 'x-user': 'header' } };
    expect(bind({ user: {} }, parts, { user: '$request.body.deep.user' })).toEqual({ user: 'right' });
    expect(bind({ user: {} }, parts, { user: '$request.headers.x-user' })).toEqual({ user: 'header' });
    expect(bind({ user: {} }, parts, { user: '$request' })).toMatchObject({ user: { method: 'POST' } });
  });

  test('that finds nothing leaves the input to its default, or missing', () => {
    const parts = { body: { user: 'by name' } };
    expect(bind({ user: { default_value: 'nobody' } }, parts, { user: '$request.query.user' })).toEqual({ user: 'nobody' });
    expect(refusal(() => bind({ user: {} }, parts, { user: '$request.query.user' })).message).toContain('input "user" is missing');
    expect(bind({ user: { default_value: 'nobody' } }, { body: { user: null } }, { user: '$request.body.user' })).toEqual({ user: null });
  });
});

describe('what an input becomes', () => {
  const texts: [string, string[], unknown][] = [
    ['5', ['integer'], 5],
    ['-7', ['integer'], -7],
    ['007', ['integer'], 7],
    ['-00.50e1', ['float'], -5],
    ['.5', ['float'], 0.5],
    ['-.5', ['float'], -0.5],
    ['2.5', ['float'], 2.5],
    ['0.5', ['float_zero_to_one'], 0.5],
    ['true', ['boolean'], true],
    ['false', ['boolean'], false],
    ['on', ['boolean'], true],
    ['on', ['string', 'boolean'], 'on'],
    ['sales', ['list_of_values'], ['sales']],
    ['5', ['string'], '5'],
    ['5', ['*'], '5'],
    ['5', ['integer', 'string'], '5'],
    ['5', ['some_kind'], '5'],
    ['', ['string'], ''],
    ['', ['*'], ''],
    ['', [], ''],
    ['', ['integer', 'string'], ''],
    ['', ['some_kind'], ''],
    [' ', ['string'], ' '],
  ];
  for (const [text, kind, value] of texts) {
    test(`the text "${text}" of kind ${kind.join(' or ')} is ${JSON.stringify(value)}, from form, query and path alike`, () => {
      const plain = (bound: Record<string, unknown>): unknown => JSON.parse(stringifyJson(bound));
      expect(plain(bind({ x: { kind } }, { query: { x: text } }))).toEqual({ x: value });
      expect(plain(bind({ x: { kind } }, { params: { x: text } }))).toEqual({ x: value });
      expect(plain(bind({ x: { kind } }, { body: { x: text }, content_type: FORM }))).toEqual({ x: value });
      expect(plain(bind({ x: { kind } }, { query: { y: text } }, { x: '$request.query.y' }))).toEqual({ x: value });
    });
  }

  for (const kind of ['integer', 'float', 'float_zero_to_one', 'boolean', 'list_of_values', 'dictionary', 'timestamp', 'image']) {
    test(`blank text is no ${kind}: nothing was filled in, so that another source or the default counts`, () => {
      for (const blank of ['', ' ', '\t\n']) {
        const form = { body: { x: blank }, content_type: FORM };
        expect(bind({ x: { kind: [kind], default_value: null } }, form)).toEqual({ x: null });
        expect(bind({ x: { kind: [kind], default_value: null } }, { query: { y: blank } }, { x: '$request.query.y' })).toEqual({ x: null });
        expect(refusal(() => bind({ x: { kind: [kind] } }, form)).message).toContain('input "x" is missing');
      }
    });
  }

  test('blank text in a form gives way to a value further on, and stays where JSON says it', () => {
    const kind = ['integer'];
    expect(bind({ x: { kind } }, { body: { x: '' }, content_type: FORM, query: { x: '7' } })).toEqual({ x: 7 });
    expect(
      bind({ picture: { type: 'WorkflowImage', kind: ['image'] } }, { body: { picture: '' }, content_type: FORM, files: [FILE] }),
    ).toEqual({ picture: FILE });
    expect(refusal(() => bind({ x: { kind, default_value: 1 } }, { body: { x: '' } })).message).toContain('must be integer');
    expect(refusal(() => bind({ x: { kind: ['boolean'] } }, { body: { x: 'on' } })).message).toContain('must be boolean');
  });

  for (const text of ['5,0', '0x10', '1.', '--5', '5 ', '+5', 'NaN', 'Infinity', 'ON', 'yes']) {
    test(`the text "${text}" is no number and no boolean`, () => {
      expect(refusal(() => bind({ x: { kind: ['float', 'boolean'] } }, { query: { x: text } })).message).toContain(
        'must be float or boolean',
      );
    });
  }

  test('a number in text keeps its digits', () => {
    expect(stringifyJson(bind({ x: { kind: ['float'] } }, { query: { x: '1.50' } }))).toBe('{"x":1.50}');
    expect(stringifyJson(bind({ x: { kind: ['float'] } }, { query: { x: '0001.50' } }))).toBe('{"x":1.50}');
    expect(stringifyJson(bind({ x: { kind: ['integer'] } }, { query: { x: '12345678901234567890' } }))).toBe('{"x":12345678901234567890}');
  });

  test('text in a JSON body stays text: JSON can say what it means', () => {
    expect(refusal(() => bind({ x: { kind: ['integer'] } }, { body: { x: '5' } })).message).toContain('must be integer');
  });
});

describe('what fits a kind', () => {
  const cases: [string, string, boolean][] = [
    ['string', '"a"', true],
    ['string', '5', false],
    ['integer', '5', true],
    ['integer', '5.0', true],
    ['integer', '12345678901234567890', true],
    ['integer', '5.5', false],
    ['integer', '"5"', false],
    ['integer', 'true', false],
    ['float', '5', true],
    ['float', '1e-7', true],
    ['float', '"x"', false],
    ['float_zero_to_one', '0', true],
    ['float_zero_to_one', '1.0', true],
    ['float_zero_to_one', '1.01', false],
    ['float_zero_to_one', '-0.1', false],
    ['boolean', 'false', true],
    ['boolean', '0', false],
    ['list_of_values', '[]', true],
    ['list_of_values', '{}', false],
    ['dictionary', '{}', true],
    ['dictionary', '[]', false],
    ['dictionary', '1.0', false],
    ['*', '{"a":[1]}', true],
    ['image', '"anything"', true],
  ];
  for (const [kind, json, fits] of cases) {
    test(`${json} ${fits ? 'is' : 'is not'} of kind ${kind}`, () => {
      const run = (): unknown => bind({ x: { kind: [kind] } }, { body: { x: parseJson(json) } });
      if (fits) expect(stringifyJson(run())).toBe(`{"x":${json}}`);
      else expect(refusal(run)).toMatchObject({ code: 'unprocessable', message: expect.stringContaining(`input "x" must be ${kind}`) });
    });
  }
});

test('all that does not fit is told at once, each by name, before any run exists', () => {
  const error = refusal(() => bind({ a: {}, b: { kind: ['integer'] }, c: { default_value: 1 } }, { body: { b: 'x' } }));
  expect(error.code).toBe('unprocessable');
  expect(error.message).toBe('the request does not fit workflow "w": input "a" is missing; input "b" must be integer');
  expect(error.details).toEqual({
    faults: [
      { path: 'a', message: 'input "a" is missing' },
      { path: 'b', message: 'input "b" must be integer' },
    ],
  });
});

test('a form whose one field holds a document is told how a sink reads that', () => {
  const message = (body: object): string => refusal(() => bind({ ref: {} }, { body, content_type: FORM })).message;
  expect(message({ payload: '{"ref":"x"}' })).toBe(
    'the request does not fit workflow "w": input "ref" is missing; the form holds JSON in its field "payload", which a sink reads with "body": {"form_field": "payload"}',
  );
  for (const body of [{}, { payload: 'x' }, { payload: '{}', other: '1' }, { payload: ['{}', '{}'] }, { 'a b': '{}' }])
    expect(message(body)).toMatch(/is missing$/);
});

test('a workflow without inputs takes any request', () => {
  expect(bind({}, { body: { whatever: 1 } })).toEqual({});
});
