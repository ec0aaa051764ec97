// Generated values and schemas: whether a value fits is what Ajv says.

import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkBody } from '../../../src/core/json-schema/check-body.ts';
import { compileSchema } from '../../../src/core/json-schema/compile-schema.ts';

const name = fc.constantFrom('a', 'b', 'ab', 'c');
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(null, true, false, 0, 1, 2, 1.5, -3, '', 'a', 'ab', 'abc'),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(name, tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
}));

const count = fc.nat(3);
const type = fc.constantFrom('null', 'boolean', 'integer', 'number', 'string', 'array', 'object');
const { schema } = fc.letrec((tie) => {
  const inner = tie('schema');
  const list = fc.array(inner, { minLength: 1, maxLength: 3 });
  const byName = fc.dictionary(name, inner, { maxKeys: 3, noNullPrototype: true });
  const keywords = {
    type: fc.oneof(type, fc.uniqueArray(type, { minLength: 1, maxLength: 3 })),
    enum: fc.uniqueArray(value, { minLength: 1, maxLength: 3, selector: (item) => JSON.stringify(item) }),
    const: value,
    minimum: count,
    exclusiveMaximum: count,
    multipleOf: fc.constantFrom(1, 2, 3),
    minLength: count,
    maxLength: count,
    pattern: fc.constantFrom('^a', 'b$', 'a.*c'),
    minItems: count,
    maxItems: count,
    uniqueItems: fc.boolean(),
    prefixItems: list,
    items: inner,
    contains: inner,
    minContains: count,
    maxContains: count,
    minProperties: count,
    maxProperties: count,
    required: fc.uniqueArray(name, { maxLength: 3 }),
    dependentRequired: fc.dictionary(name, fc.uniqueArray(name, { maxLength: 2 }), { maxKeys: 2, noNullPrototype: true }),
    dependentSchemas: byName,
    properties: byName,
    patternProperties: fc.dictionary(fc.constantFrom('^a', 'b'), inner, { maxKeys: 2, noNullPrototype: true }),
    additionalProperties: inner,
    propertyNames: inner,
    allOf: list,
    anyOf: list,
    oneOf: list,
    not: inner,
    if: inner,
    // biome-ignore lint/suspicious/noThenProperty: the keyword has this name
    then: inner,
    else: inner,
  };
  const one = fc.oneof(...Object.entries(keywords).map(([keyword, of]) => fc.record({ [keyword]: of })));
  const some = fc.array(one, { maxLength: 3 }).map((parts) => Object.assign({}, ...parts) as object);
  return { schema: fc.oneof({ maxDepth: 2 }, some, fc.boolean()) };
});

test('a value fits the same schemas', () => {
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateSchema: false });
  let fitting = 0;
  fc.assert(
    fc.property(fc.record({ of: schema, values: fc.array(value, { minLength: 4, maxLength: 4 }) }), ({ of, values }) => {
      const document = { allOf: [of] };
      expect(compileSchema(document, 'schema').faults).toEqual([]);
      const expected = ajv.compile(document);
      for (const item of values) {
        const fits = expected(item);
        fitting += fits ? 1 : 0;
        expect(doesFit(document, item), JSON.stringify([of, item])).toBe(fits);
      }
    }),
    { seed: 14, numRuns: 400 },
  );
  expect(fitting).toBeGreaterThan(200);
});

function doesFit(document: object, item: unknown): boolean {
  try {
    checkBody(document as Record<string, unknown>, { value: item, size: 100, kind: 'json' });
    return true;
  } catch {
    return false;
  }
}
