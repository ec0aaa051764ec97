// sluice/set@v1: outputs literals and selected values.

import type { StepType } from '../step-type.ts';

interface SetManifest {
  values: Record<string, unknown>;
}

export const set: StepType<SetManifest> = {
  type: 'sluice/set@v1',
  nulls: 'take',
  summary: 'Outputs literals and selected values: each key of `values` is an output.',
  properties: {
    values: {
      type: 'object',
      propertyNames: { pattern: '^(?!__proto__$)[A-Za-z_0-9-]{1,128}$' },
      additionalProperties: true,
      description: 'the outputs by name, each a literal, a selector, or an object or list of them',
    },
  },
  required: ['values'],
  outputs: ({ values }) => Object.keys(values),
  plan: ({ values }) => ({ kind: 'completed', outputs: values }),
};
