// The schemas that values are checked against are valid themselves, for at run time nobody asks, and faults are worded
// for people.

import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { retrySchema } from '../../src/core/delivery/retry.ts';
import { createSchemaCheck, type JsonSchema } from '../../src/core/schema.ts';
import { responseSchema } from '../../src/core/sink/response/response-mode.ts';
import { sinkSchema } from '../../src/core/sink/sink.ts';
import { workflowSchema } from '../../src/core/workflow/document.ts';
import { builtinStepTypes } from '../../src/steps/builtin.ts';

const schemas: Record<string, JsonSchema> = {
  sinks: sinkSchema,
  workflows: workflowSchema,
  responses: responseSchema,
  retries: retrySchema,
};
for (const { type, properties, required } of builtinStepTypes) schemas[type] = { type: 'object', properties, required };

test.each(Object.keys(schemas))('the schema of %s is a valid JSON Schema', (name) => {
  const ajv = new Ajv();
  expect([ajv.validateSchema(schemas[name] as JsonSchema), ajv.errors]).toEqual([true, null]);
});

test('a value that fits no alternative is told once what would be right, not what each alternative misses', () => {
  const seconds = { description: 'a number of seconds or a selector', anyOf: [{ type: 'number' }, { type: 'string', pattern: '^\\$' }] };
  const wait = { ...seconds, title: 'a wait', description: 'how long it waits' };
  const check = createSchemaCheck({ type: 'object', properties: { seconds, wait, size: { type: 'number' } } });
  expect(check({ seconds: 'soon', wait: 'long', size: 'large' })).toEqual([
    { path: 'seconds', message: 'must be a number of seconds or a selector' },
    { path: 'wait', message: 'must be a wait' },
    { path: 'size', message: 'must be number' },
  ]);
});
