// The one list of step types, and what definitions and the engine ask of it.

import { retrySchema } from '../core/retry.ts';
import { createSchemaCheck, type JsonSchema } from '../core/schema.ts';
import type { InspectManifest } from '../core/workflow.ts';
import { capture } from './sluice/capture.ts';
import { delay } from './sluice/delay.ts';
import { fail } from './sluice/fail.ts';
import { set } from './sluice/set.ts';
import type { StepType } from './step-type.ts';

export const builtinStepTypes: readonly StepType[] = [set, delay, fail, capture] as readonly StepType[];

export interface StepTypes {
  /** Undefined when there is no such type. */
  find(type: string): StepType | undefined;
  inspect: InspectManifest;
}

/** Throws when two types share an id. */
export function createStepTypes(list: readonly StepType[]): StepTypes {
  const known = new Map(list.map((stepType) => [stepType.type, { stepType, check: createSchemaCheck(manifestSchema(stepType)) }]));
  if (known.size !== list.length) throw new Error('two step types share an id');
  return {
    find: (type) => known.get(type)?.stepType,
    inspect(type, manifest) {
      const entry = known.get(type);
      if (entry === undefined) {
        return {
          faults: [{ path: 'type', message: `"${type}" is no step type; known are ${[...known.keys()].join(', ')}` }],
          outputs: null,
        };
      }
      const faults = entry.check(manifest);
      if (faults.length > 0) return { faults, outputs: null };
      return { faults: entry.stepType.findFaults?.(manifest) ?? [], outputs: entry.stepType.outputs(manifest) };
    },
  };
}

/** The whole manifest: what every step has, and what its type adds. */
function manifestSchema({ type, properties, required }: StepType): JsonSchema {
  return {
    type: 'object',
    required: ['type', 'name', ...required],
    additionalProperties: false,
    properties: { type: { const: type }, name: { type: 'string' }, retry: retrySchema, ...properties },
  };
}
