// roboflow_core/first_non_empty_or_default@v1: outputs the first value that is not null, which joins branches.

import { selectorList } from '../shared/property-schemas.ts';
import type { StepType } from '../step-type.ts';

interface FirstNonEmptyOrDefaultManifest {
  data: unknown[];
  default?: unknown;
}

export const firstNonEmptyOrDefault: StepType<FirstNonEmptyOrDefaultManifest> = {
  type: 'roboflow_core/first_non_empty_or_default@v1',
  aliases: ['FirstNonEmptyOrDefault'],
  summary: 'Outputs the first value that is not null. It joins branches even if only some have run.',
  properties: {
    data: selectorList('values in order of preference; false, 0 and empty text count as values'),
    default: { description: 'the output if all values are null' },
  },
  required: ['data'],
  ignoresUnknown: true,
  nulls: 'merge',
  outputs: () => ['output'],
  plan: ({ data, default: otherwise = null }) => ({
    kind: 'completed',
    outputs: { output: data.find((value) => value !== null && value !== undefined) ?? otherwise },
  }),
};
