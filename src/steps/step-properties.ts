// Properties of every step, whatever its type: retries, maximum visits, and transitions by outcome.

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

/** A type that declares one of them as its own property handles both itself. */
export function hasOwnOutcomeTransitions({ properties }: StepType): boolean {
  return OUTCOME_WAYS.some((property) => Object.hasOwn(properties, property));
}

export function isOutcomeTransition(property: string): boolean {
  return (OUTCOME_WAYS as readonly string[]).includes(property);
}

/** Whether a failed step continues its run: its failure chooses the next steps, and its error is an output. */
export function survivesFailure(stepType: StepType, { on_failure: onFailure }: Readonly<Record<string, unknown>>): boolean {
  return !hasOwnOutcomeTransitions(stepType) && Array.isArray(onFailure) && onFailure.length > 0;
}
