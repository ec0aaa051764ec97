// sluice/set@v1: outputs made of literals and selected values.

import type { StepType } from '../step-type.ts';

interface SetManifest {
  values: Record<string, unknown>;
}

export const set: StepType<SetManifest> = {
  type: 'sluice/set@v1',
  nulls: 'take',
  summary: 'Makes outputs of literals and selected values; they are the keys of its values.',
  properties: {
    values: { type: 'object', propertyNames: { pattern: '^(?!__proto__$)[A-Za-z_0-9-]{1,128}$' }, additionalProperties: true },
  },
  required: ['values'],
  outputs: ({ values }) => Object.keys(values),
  plan: ({ values }) => ({ kind: 'completed', outputs: values }),
};
