// The schemas that values are checked against are valid themselves: at run time nobody asks.

import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { responseSchema } from '../../src/core/response-mode.ts';
import { retrySchema } from '../../src/core/retry.ts';
import type { JsonSchema } from '../../src/core/schema.ts';
import { sinkSchema } from '../../src/core/sink.ts';
import { workflowSchema } from '../../src/core/workflow.ts';
import { builtinStepTypes } from '../../src/steps/index.ts';

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
