// Checks of values against JSON Schemas: what fits, what each fault says, exact numbers, and the work that a stranger can cause.

import { describe, expect, test } from 'vitest';
import { parseJson } from '../../../src/core/json/json.ts';
import { checkBody } from '../../../src/core/json-schema/check-body.ts';
import { compileSchema } from '../../../src/core/json-schema/compile-schema.ts';
import type { SchemaFault } from '../../../src/core/json-schema/evaluation.ts';
import { AppError } from '../../../src/errors.ts';

interface Refusal {
  message: string;
  faults: SchemaFault[];
  more: number | undefined;
}

function refusalOf(schema: Record<string, unknown>, text: string, kind = 'json'): Refusal | null {
  try {
    checkBody(schema, { value: parseJson(text), size: text.length, kind });
    return null;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { faults, more_faults: more } = error.details as { faults: SchemaFault[]; more_faults?: number };
    return { message: error.message, faults, more };
  }
}

const faultsOf = (schema: Record<string, unknown>, text: string, kind?: string): string[] =>
  (refusalOf(schema, text, kind)?.faults ?? []).map(({ pointer, message }) => `${pointer} ${message}`);

const schemaFaults = (schema: unknown): string[] => compileSchema(schema, 'schema').faults.map(({ path, message }) => `${path} ${message}`);

describe('a value fits or has faults', () => {
  const cases: [Record<string, unknown>, fits: string[], faulty: string[]][] = [
    [{ type: 'integer' }, ['1', '1.0', '1e3', '-0'], ['1.5', '"1"', 'true', 'null']],
    [{ type: ['number', 'null'] }, ['1.5', 'null'], ['"x"', '{}']],
    [{ enum: ['a', 1, { x: [1] }] }, ['"a"', '1.0', '{"x":[1.00]}'], ['"b"', '{"x":[2]}', '{"x":[1],"y":1}']],
    [{ const: null }, ['null'], ['0', 'false']],
    [{ minLength: 2, maxLength: 3 }, ['"ab"', '"🎈🎈🎈"', '5'], ['"🎈"', '"abcd"']],
    [{ pattern: '^a+$' }, ['"aa"', '1'], ['"ba"']],
    [{ multipleOf: 0.01 }, ['0.07', '19.99', '0', '1e30'], ['0.001']],
    [{ items: { type: 'string' }, prefixItems: [{ type: 'integer' }], maxItems: 2 }, ['[1,"a"]', '[1]', '{}'], ['["a"]', '[1,"a","b"]']],
    [{ contains: { const: 1 }, minContains: 2, maxContains: 2 }, ['[1,1,3]'], ['[1]', '[1,1,1]']],
    [
      { uniqueItems: true },
      ['[1,2]', '[{"a":1},{"a":2}]'],
      ['[1,1.0]', '[0,-0.0]', '[100,1e2]', '[1e20,100000000000000000000]', '[{"a":1,"b":2},{"b":2,"a":1}]'],
    ],
    [{ required: ['a'], minProperties: 2 }, ['{"a":1,"b":2}', '[]'], ['{"b":1}', '{"a":1}']],
    [{ dependentRequired: { a: ['b'] }, dependentSchemas: { c: { required: ['d'] } } }, ['{"a":1,"b":1}', '{}'], ['{"a":1}', '{"c":1}']],
    [{ patternProperties: { '^x-': { type: 'integer' } }, additionalProperties: false }, ['{"x-a":1}'], ['{"x-a":"1"}', '{"y":1}']],
    [{ propertyNames: { maxLength: 2 } }, ['{"ab":1}'], ['{"abc":1}']],
    [{ oneOf: [{ type: 'integer' }, { minimum: 2 }] }, ['1', '2.5'], ['3', '1.5']],
    [{ not: { type: 'null' } }, ['1'], ['null']],
    [JSON.parse('{"if":{"type":"integer"},"then":{"maximum":1},"else":{"type":"string"}}'), ['1', '"a"'], ['2', 'null']],
    [
      { $defs: { n: { type: 'object', properties: { next: { $ref: '#/$defs/n' } } } }, $ref: '#/$defs/n' },
      ['{"next":{"next":{}}}'],
      ['{"next":{"next":1}}'],
    ],
    [{ properties: { 'a/b~c': false } }, ['{}'], ['{"a/b~c":1}']],
  ];
  for (const [schema, fits, faulty] of cases)
    test(JSON.stringify(schema), () => {
      expect(schemaFaults(schema)).toEqual([]);
      for (const text of fits) expect(faultsOf(schema, text), text).toEqual([]);
      for (const text of faulty) expect(faultsOf(schema, text), text).not.toEqual([]);
    });

  test('by the digits of its numbers, not by those of a JavaScript number', () => {
    const limited = { maximum: 9007199254740991 };
    expect(faultsOf(limited, '9007199254740991.0')).toEqual([]);
    expect(faultsOf(limited, '9007199254740991.00000000000000000001')).toEqual([' must be at most 9007199254740991']);
    expect(faultsOf({ minimum: 0 }, '-0.0')).toEqual([]);
    expect(faultsOf({ type: 'integer' }, '123456789012345678901234567890')).toEqual([]);
    expect(faultsOf({ type: 'integer' }, '9007199254740993.5')).not.toEqual([]);
    expect(faultsOf({ multipleOf: 3 }, '900719925474099300000000000000000003')).toEqual([]);
    expect(faultsOf({ multipleOf: 3 }, '900719925474099300000000000000000004')).not.toEqual([]);
    expect(faultsOf({ uniqueItems: true }, '[9007199254740992,9007199254740993]')).toEqual([]);
    expect(faultsOf({ exclusiveMaximum: 1 }, `1e-${'9'.repeat(400)}`)).toEqual([]);
    expect(faultsOf({ maximum: 5, multipleOf: 7 }, `1e${'9'.repeat(400)}`)).toHaveLength(2);
  });

  const formats: [string, good: string[], bad: string[]][] = [
    ['date-time', ['2024-02-29T12:00:00Z', '2024-01-01T00:00:00.123+02:00'], ['2023-02-29T12:00:00Z', '2024-01-01 00:00:00Z', 'x']],
    ['date', ['2024-02-29'], ['2024-02-30', '24-02-01']],
    ['time', ['12:30:00Z'], ['25:00:00Z', '12:30']],
    ['email', ['a.b+c@mail.example.org'], ['a@', '@b', 'a b@c', 'a@-b', `${'a'.repeat(65)}@b`]],
    ['uri', ['https://example.org/a?b=%20#c', 'mailto:a@b'], ['example.org', 'http://a b', 'x:%zz']],
    ['uuid', ['9b2a1c34-0000-4000-8000-00000000000f'], ['9b2a1c34']],
    ['ipv4', ['10.0.0.1'], ['10.0.0.256', '10.0.0', '010.0.0.1']],
    ['ipv6', ['::1', '2001:db8::ff00:42:8329', '::ffff:10.0.0.1'], ['1::2::3', ':::', '12345::', '1:2:3']],
    ['hostname', ['a-b.example'], ['-a', 'a..b', 'a_b']],
    ['of-our-own', ['anything'], []],
  ];
  for (const [format, good, bad] of formats)
    test(`of the format ${format}`, () => {
      for (const text of good) expect(faultsOf({ format }, JSON.stringify(text)), text).toEqual([]);
      for (const text of bad) expect(faultsOf({ format }, JSON.stringify(text)), text).not.toEqual([]);
      expect(faultsOf({ format }, '5')).toEqual([]);
    });
});

describe('the faults', () => {
  const order = {
    type: 'object',
    required: ['id', 'items'],
    additionalProperties: false,
    properties: {
      id: { type: 'integer', minimum: 1 },
      state: { enum: ['new', 'paid'] },
      items: { type: 'array', items: { type: 'object', required: ['sku'], properties: { sku: { type: 'string' } } } },
    },
  };

  test('are all listed, each with its place and what would be right', () => {
    const { message, faults } = refusalOf(order, '{"id":"7","stat":"new","state":"gone","items":[{"sku":"a"},{},{"sku":5}]}') as Refusal;
    expect([...faults].sort((a, b) => (a.pointer < b.pointer ? -1 : 1))).toEqual([
      { path: '', pointer: '', message: 'unknown field "stat"; did you mean "state"?' },
      { path: 'id', pointer: '/id', message: 'must be integer, and is string' },
      { path: 'items[1]', pointer: '/items/1', message: 'field "sku" is missing' },
      { path: 'items[2].sku', pointer: '/items/2/sku', message: 'must be string, and is integer' },
      { path: 'state', pointer: '/state', message: 'must be one of "new", "paid"' },
    ]);
    expect(message).toContain('the body does not fit the schema of this sink: ');
    expect(message).toContain('id: must be integer, and is string');
  });

  test('of alternatives are those of the nearest', () => {
    const either = {
      anyOf: [
        { type: 'object', required: ['card'], properties: { card: { type: 'string' } } },
        { type: 'object', required: ['iban', 'name', 'bank'] },
      ],
    };
    expect(faultsOf(either, '{"card":5}')).toEqual([
      ' must fit one of 2 alternatives; the nearest is number 1, with the faults that follow',
      '/card must be string, and is integer',
    ]);
    expect(faultsOf({ anyOf: [{ type: 'string' }, { type: ['object', 'null'] }] }, '5')).toEqual([
      ' must be string or object or null, and is integer',
    ]);
    expect(faultsOf({ ...either, description: 'a way to pay' }, '{}')).toEqual([' must be a way to pay']);
  });

  test('beyond 100 are counted', () => {
    const { faults, more, message } = refusalOf({ items: { type: 'string' } }, `[${'1,'.repeat(4999)}1]`) as Refusal;
    expect([faults.length, more]).toEqual([100, 4900]);
    expect(message).toContain('and 4995 more');
  });

  test('show no value of the body, and names of it only in part', () => {
    const secret = 's3cr3t'.repeat(5000);
    const body = JSON.stringify({ id: secret, [secret]: { x: secret }, state: secret });
    const text = JSON.stringify(refusalOf({ ...order, properties: { ...order.properties, [secret.slice(0, 50)]: {} } }, body));
    expect(text).not.toContain(secret.slice(0, 80));
    const nested = refusalOf({ additionalProperties: { additionalProperties: false } }, body);
    expect(JSON.stringify(nested).length).toBeLessThan(3000);
  });
});

describe('texts of a form', () => {
  const schema = {
    type: 'object',
    required: ['age', 'terms'],
    properties: {
      age: { type: 'integer', minimum: 18 },
      terms: { type: 'boolean' },
      zip: { type: 'string' },
      tags: { type: 'array', items: { type: 'string' } },
    },
  };
  test('fit the types that they spell', () => {
    expect(faultsOf(schema, '{"age":"42","terms":"on","zip":"01234","tags":"a"}', 'form')).toEqual([]);
    expect(faultsOf(schema, '{"age":"42","terms":"on"}', 'json')).toHaveLength(2);
  });
  test('that spell another type, or nothing, do not', () => {
    expect(faultsOf(schema, '{"age":"17","terms":"on"}', 'form')).toEqual(['/age must be at least 18']);
    expect(faultsOf(schema, '{"age":"x","terms":"on"}', 'multipart')).toEqual(['/age must be integer, and is string']);
    expect(faultsOf(schema, '{"age":"","terms":"on"}', 'form')).toEqual([' field "age" is missing']);
  });
});

describe('a schema is refused', () => {
  const faulty: [what: string, schema: unknown, fault: RegExp][] = [
    ['an unknown keyword', { propertys: {} }, /^schema\.propertys is no keyword .* did you mean "properties"/],
    ["OpenAPI's nullable", { properties: { a: { nullable: true } } }, /^schema\.properties\.a\.nullable .*"null"/],
    ['$async', { $async: true }, /^schema\.\$async .*leave it out/],
    ['a remote $ref', { $ref: 'https://example.org/schema.json' }, /^schema\.\$ref must name a schema of the same document/],
    ['a $ref to a file', { $ref: 'file:///etc/passwd' }, /same document/],
    ['a $ref to nothing', { $ref: '#/$defs/x', $defs: { y: {} } }, /names no schema of this document.*#\/\$defs\/y/],
    ['a $ref into a prototype', { $ref: '#/__proto__' }, /names no schema/],
    ['a schema that is itself', { $ref: '#' }, /refers to itself/],
    ['alternatives that are themselves', { anyOf: [{ type: 'string' }, { $ref: '#' }] }, /refers to itself/],
    ['a wrong type', { type: 'text' }, /^schema\.type must be "null", "boolean"/],
    ['no schema at all', { properties: { a: 5 } }, /^schema\.properties\.a must be a JSON Schema/],
    ['a list of items', { items: [{}] }, /prefixItems/],
    ['a draft of the past', { $schema: 'http://json-schema.org/draft-07/schema#' }, /2020-12/],
    ['a look-ahead', { pattern: '(?=a)b' }, /^schema\.pattern is not a regular expression that takes linear time/],
    ['a back reference', { pattern: '(a)\\1' }, /linear time/],
    ['a pattern that repeats much', { pattern: '(a{1,900}){1,2}b{900}' }, /repeats too much|linear time/],
    ['a long pattern', { pattern: 'a'.repeat(513) }, /at most 512 characters/],
    [
      'many large patterns',
      { allOf: Array.from({ length: 20 }, (_, i) => ({ pattern: `a{900}${i}` })) },
      /too much beside the other patterns/,
    ],
    ['an integer that loses digits', { maximum: 2 ** 53 }, /beyond 9007199254740991/],
    ['such an integer in a list', { enum: [{ id: 2 ** 60 }] }, /beyond 9007199254740991/],
    ['a negative length', { maxLength: -1 }, /whole number/],
    ['an empty enum', { enum: [] }, /1 to 1000 values/],
    ['null', null, /must be a JSON Schema/],
    ['a large document', { description: 'x'.repeat(70_000) }, /at most 65536 characters/],
    ['many values', { enum: Array.from({ length: 5001 }, (_, i) => i) }, /5000 values/],
  ];
  for (const [what, schema, fault] of faulty)
    test(`for ${what}`, () => {
      expect(schemaFaults(schema)[0]).toMatch(fault);
    });

  test('for being deep, or long in the same place', () => {
    let deep: object = {};
    for (let level = 0; level < 200; level += 1) deep = { items: deep };
    expect(schemaFaults(deep)[0]).toMatch(/at most 64 levels deep/);
    const chain = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`d${i}`, i === 39 ? {} : { $ref: `#/$defs/d${i + 1}` }]));
    expect(schemaFaults({ $defs: chain })[0]).toMatch(/more than 16 schemas/);
    const long = Object.fromEntries(Array.from({ length: 1500 }, (_, i) => [`d${i}`, { $ref: `#/$defs/d${(i + 1) % 1500}` }]));
    expect(schemaFaults({ $defs: long })[0]).toMatch(/more than 16 schemas/);
    const name = 'x'.repeat(300);
    expect(schemaFaults({ $defs: { [`${name}1`]: { $ref: `#/$defs/${name}1` }, [`${name}2`]: {} } })[0]).toMatch(/refers to itself/);
  });

  test('with every fault at once, and with keys of prototypes as plain names', () => {
    expect(schemaFaults({ type: 'x', minimum: '1', properties: { a: { pattern: '(' } } })).toHaveLength(3);
    expect(schemaFaults({ patternProperties: { '(': true }, additionalProperties: false })).toHaveLength(1);
    const odd = JSON.parse(
      '{"properties":{"__proto__":{"type":"integer"},"constructor":{"type":"string"}},"required":["toString"]}',
    ) as object;
    expect(schemaFaults(odd)).toEqual([]);
    expect(faultsOf(odd as Record<string, unknown>, '{}')).toEqual([' field "toString" is missing']);
  });
});

describe('a hostile body', () => {
  test('that fits alternatives within alternatives ends with its work', () => {
    const node = { anyOf: ['z', 'y'].map((name) => ({ properties: { a: { $ref: '#/$defs/n' } }, required: [name] })) };
    const schema = { $defs: { n: node }, $ref: '#/$defs/n' };
    const { message } = refusalOf(schema, `${'{"a":'.repeat(99)}1${'}'.repeat(99)}`) as Refusal;
    expect(message).toContain('took too much work for a body of');
  });
  test('that is as deep as it may be does not exhaust the stack', () => {
    let node: object = { properties: { a: { $ref: '#/$defs/n' } }, items: { $ref: '#/$defs/n' } };
    for (let level = 0; level < 14; level += 1) node = level % 2 === 0 ? { anyOf: [node] } : { allOf: [node] };
    const schema = { $defs: { n: node }, $ref: '#/$defs/n' };
    expect(schemaFaults(schema)).toEqual([]);
    expect(faultsOf(schema, `${'{"a":['.repeat(50)}1${']}'.repeat(50)}`)).toEqual([]);
  });
  test('for a schema that compares much ends with its work', () => {
    const many = Array.from({ length: 900 }, (_, index) => ({ index, x: [index] }));
    const { message } = refusalOf({ items: { enum: many } }, `[${'{"index":1},'.repeat(20_000)}1]`) as Refusal;
    expect(message).toContain('took too much work');
  });
  test('that is a long text for a pattern is no more work than its length', () => {
    expect(faultsOf({ pattern: '(a+)+$' }, JSON.stringify(`${'a'.repeat(50_000)}!`))).toEqual([' must match (a+)+$']);
  });
});
