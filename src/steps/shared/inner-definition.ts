// Properties of steps that contain another workflow or refer to one of the same app.

import type { JsonSchema } from '../../core/schema.ts';

export const REFERENCE_ID = '^[A-Za-z0-9][A-Za-z0-9_.-]*$';

export const innerDefinition: JsonSchema = {
  title: 'an object, or null',
  anyOf: [{ type: 'object' }, { type: 'null' }],
  description: 'the other workflow, with its own inputs, steps and selectors; alternatively, refer to a workflow of the same app by its id',
};

export const workflowId: JsonSchema = {
  type: ['string', 'null'],
  pattern: REFERENCE_ID,
  description: 'must be the id of a workflow; saving stores a copy of it',
};

export const workflowVersionId: JsonSchema = {
  description: 'a whole number, the version of that workflow; by default the current one',
  anyOf: [{ type: 'integer', minimum: 1 }, { type: 'string', pattern: '^[1-9]\\d{0,8}$' }, { type: 'null' }],
};
