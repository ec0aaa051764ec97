// What every step may carry beside what its type wants: how often it is tried and visited, and what runs next by what
// becomes of it.

import { retrySchema } from '../core/delivery/retry.ts';
import type { JsonSchema } from '../core/schema.ts';
import { maxVisitsSchema } from '../core/workflow/transitions.ts';
import type { StepType } from './step-type.ts';

const OUTCOME_WAYS = ['on_success', 'on_failure'] as const;

const steps = (description: string): JsonSchema => ({
  type: 'array',
  description,
  items: { type: 'string', pattern: '^\\$steps\\.[^.]+$', description: 'must name a step, as "$steps.name"' },
});

export const commonProperties: Readonly<Record<string, JsonSchema>> = {
  retry: retrySchema,
  max_visits: maxVisitsSchema,
  on_success: steps('what runs when the step has completed; earlier steps too'),
  on_failure: steps('what runs when the step has failed for good, which does not end the run then; earlier steps too'),
};

/** A type that has one of them as a property of its own chooses by both itself. */
export function hasOwnOutcomeTransitions({ properties }: StepType): boolean {
  return OUTCOME_WAYS.some((property) => Object.hasOwn(properties, property));
}

export function isOutcomeTransition(property: string): boolean {
  return (OUTCOME_WAYS as readonly string[]).includes(property);
}

/** Whether the failure of a step of this type chooses what runs next, and its error is an output. */
export function survivesFailure(stepType: StepType, { on_failure: onFailure }: Readonly<Record<string, unknown>>): boolean {
  return !hasOwnOutcomeTransitions(stepType) && Array.isArray(onFailure) && onFailure.length > 0;
}
