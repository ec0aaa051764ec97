// What is inferred from bodies: every body fits its schema, whatever came, and plain bodies get the schema that one would write.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inferInputs } from '../../../src/core/infer/infer-inputs.ts';
import { inferSchema } from '../../../src/core/infer/infer-schema.ts';
import { ShapeOfBodies } from '../../../src/core/infer/shape.ts';
import { parseJson, stringifyJson } from '../../../src/core/json/json.ts';
import { checkBody } from '../../../src/core/json-schema/check-body.ts';
import { compileSchema } from '../../../src/core/json-schema/compile-schema.ts';
import { workflowFaults } from '../../../src/core/workflow/faults.ts';
import { builtinStepTypes } from '../../../src/steps/builtin.ts';
import { createStepTypes } from '../../../src/steps/registry.ts';

function observed(bodies: readonly unknown[]): ShapeOfBodies {
  const shape = new ShapeOfBodies();
  for (const body of bodies) shape.observe(body);
  return shape;
}

const schemaOf = (...bodies: unknown[]): any => {
  const { $schema: _, ...schema } = inferSchema(observed(bodies).root);
  return schema;
};

/** Throws if a body does not fit the schema of all. */
function expectAllFit(bodies: readonly unknown[], kind = 'json'): void {
  const schema = inferSchema(observed(bodies).root);
  expect(compileSchema(schema, 'schema').faults).toEqual([]);
  for (const value of bodies) checkBody(schema, { value, kind, size: 1e6 });
}

/** Names of fields, keys of maps, and what may confuse either. */
const name = fc.oneof(
  fc.constantFrom('id', 'name', 'items', 'a b', 'constructor', 'toString', '$ref', 'x.y', ''),
  fc.uuid(),
  fc.nat(500).map(String),
  fc.string({ maxLength: 150 }),
);
const text = fc.oneof(
  fc.constantFrom('new', 'paid', 'sent', '2024-02-29T10:00:00Z', '2024-02-29', 'a@example.org', 'https://example.org/', ''),
  fc.uuid(),
  fc.string(),
);
const number = fc
  .oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.bigInt())
  .map((value) => parseJson(stringifyJson(typeof value === 'bigint' ? null : value)) ?? parseJson(String(value)));
const { body } = fc.letrec((tie) => ({
  body: fc.oneof(
    { depthSize: 'medium', maxDepth: 6 },
    fc.constant(null),
    fc.boolean(),
    number,
    text,
    fc.array(tie('body'), { maxLength: 6 }),
    fc.dictionary(name, tie('body'), { maxKeys: 8, noNullPrototype: true }),
  ),
}));

describe('every body fits the schema that is inferred from all', () => {
  const SEED = 20_260;
  test('whatever came', () => {
    fc.assert(
      fc.property(fc.array(body, { minLength: 1, maxLength: 20 }), (bodies) => expectAllFit(bodies)),
      { seed: SEED, numRuns: 300 },
    );
  });

  test('as forms, whose fields are texts', () => {
    const form = fc.dictionary(name, fc.oneof(text, fc.array(text, { minLength: 2, maxLength: 3 })), { maxKeys: 8, noNullPrototype: true });
    fc.assert(
      fc.property(fc.array(form, { minLength: 1, maxLength: 20 }), (bodies) => expectAllFit(bodies, 'form')),
      { seed: SEED, numRuns: 100 },
    );
  });

  test('if they are deep, wide, or have many names', () => {
    let deep: unknown = 1;
    for (let level = 0; level < 99; level += 1) deep = level % 2 === 0 ? { a: deep } : [deep];
    const wide = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`field-${index}`, index % 2 === 0 ? index : `${index}`]));
    const bushy = (level: number): unknown =>
      level === 0 ? 1 : Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`a-long-name-of-a-field-${index}`, bushy(level - 1)]));
    for (const hostile of [deep, wide, bushy(4), { a: wide, b: [wide, deep] }]) expectAllFit([hostile, { a: 1 }]);
    expect(JSON.stringify(schemaOf(wide)).length).toBeLessThan(200);
  });
});

describe('a schema says', () => {
  const order = (id: number, rest: object = {}): object => ({
    id,
    lines: [
      { sku: 'a', price: 1.5 },
      { sku: 'b', price: 2 },
    ],
    ...rest,
  });

  test('types, required fields, merged items and nulls', () => {
    expect(schemaOf(order(1, { note: null }), order(2, { note: 'x', paid: true }))).toEqual({
      type: 'object',
      required: ['id', 'lines', 'note'],
      properties: {
        id: { type: 'integer' },
        lines: {
          type: 'array',
          items: { type: 'object', required: ['sku', 'price'], properties: { sku: { type: 'string' }, price: { type: 'number' } } },
        },
        note: { type: ['string', 'null'] },
        paid: { type: 'boolean' },
      },
    });
  });

  test('formats that all texts have', () => {
    const { properties } = schemaOf(
      {
        at: '2024-02-29T10:00:00Z',
        day: '2024-02-29',
        who: 'a@example.org',
        url: 'https://a.example/x',
        id: '9b2a1c34-0000-4000-8000-00000000000f',
        mixed: '2024-02-29',
      },
      {
        at: '2024-03-01T10:00:00+01:00',
        day: '2024-03-01',
        who: 'b@c.org',
        url: 'http://b',
        id: '9b2a1c34-0000-4000-8000-000000000000',
        mixed: 'x',
      },
    );
    const formats = Object.fromEntries(Object.entries(properties as Record<string, any>).map(([field, { format }]) => [field, format]));
    expect(formats).toEqual({ at: 'date-time', day: 'date', who: 'email', url: 'uri', id: 'uuid', mixed: undefined });
  });

  test('the values of few texts that come again and again, and of no others', () => {
    const states = Array.from({ length: 12 }, (_, index) => ({
      state: ['new', 'paid', 'sent'][index % 3],
      name: `n${index}`,
      one: 'same',
    }));
    const { properties } = schemaOf(...states);
    expect(properties).toEqual({
      state: { type: 'string', enum: ['new', 'paid', 'sent'] },
      name: { type: 'string' },
      one: { type: 'string' },
    });
    expect(schemaOf(...states.slice(0, 6)).properties.state).toEqual({ type: 'string' });
    expect(schemaOf(...states, { state: 'rare' }).properties.state).toEqual({ type: 'string' });
  });

  test('one schema for the values of a map', () => {
    const prices = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`sku-${index}`, { price: index }]));
    const of = { type: 'object', required: ['price'], properties: { price: { type: 'integer' } } };
    expect(schemaOf({ prices }).properties.prices).toEqual({ type: 'object', additionalProperties: of });
    expect(schemaOf({ 1: true, 22: false, 333: true })).toEqual({ type: 'object', additionalProperties: { type: 'boolean' } });
  });

  test('numbers by their digits', () => {
    expect(schemaOf(...['1.0', '9007199254740993', '1e3'].map((digits) => parseJson(digits)))).toEqual({ type: 'integer' });
    expect(schemaOf(parseJson('9007199254740993.5'))).toEqual({ type: 'number' });
  });
});

describe('inputs', () => {
  test('are typed, optional where a field did not always come, and named as a workflow may name them', () => {
    const { declared, mapping } = inferInputs(
      observed([
        { id: 1, 'user name': 'a', 'user.name': 'b', tags: [], at: {}, rate: 0.5 },
        { id: 2, 'user name': null, tags: [1], at: {}, rate: 1, late: true },
      ]).root,
    );
    expect(declared).toEqual([
      { type: 'WorkflowParameter', name: 'id', kind: ['integer'] },
      { type: 'WorkflowParameter', name: 'user_name', kind: ['string'] },
      { type: 'WorkflowParameter', name: 'user_name_2', kind: ['string'], default_value: null },
      { type: 'WorkflowParameter', name: 'tags', kind: ['list_of_values'] },
      { type: 'WorkflowParameter', name: 'at', kind: ['dictionary'] },
      { type: 'WorkflowParameter', name: 'rate', kind: ['float'] },
      { type: 'WorkflowParameter', name: 'late', kind: ['boolean'], default_value: null },
    ]);
    expect(mapping['id']).toBe('$request.body.id');
    expect(mapping['user_name']).toBe('$request.body["user name"]');
    expect(mapping['user_name_2']).toBe('$request.body["user.name"]');
  });

  test('are the whole body if it is no object', () => {
    const { declared, mapping } = inferInputs(observed([[1], [2]]).root);
    expect([declared, mapping]).toEqual([
      [{ type: 'WorkflowParameter', name: 'body', kind: ['list_of_values'] }],
      { body: '$request.body' },
    ]);
  });

  test('make a valid workflow, whatever came', () => {
    const { inspect } = createStepTypes(builtinStepTypes);
    fc.assert(
      fc.property(fc.array(body, { minLength: 1, maxLength: 5 }), (bodies) => {
        const { declared } = inferInputs(observed(bodies).root);
        expect(workflowFaults({ version: '1.0', inputs: declared, steps: [], outputs: [] }, inspect)).toEqual([]);
      }),
      { seed: 7, numRuns: 100 },
    );
  });
});
