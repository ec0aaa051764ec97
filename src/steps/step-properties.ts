// Properties of every step type: retries, maximum visits, and transitions by outcome.

import { retrySchema } from '../core/delivery/retry.ts';
import type { JsonSchema } from '../core/schema.ts';
import { maxVisitsSchema } from '../core/workflow/transitions.ts';
import type { StepType } from './step-type.ts';

const OUTCOME_TRANSITIONS = ['on_success', 'on_failure'] as const;

const steps = (description: string): JsonSchema => ({
  type: 'array',
  description,
  items: { type: 'string', pattern: '^\\$steps\\.[^.]+$', description: 'must name a step, such as "$steps.name"' },
});

export const commonProperties: Readonly<Record<string, JsonSchema>> = {
  retry: retrySchema,
  max_visits: maxVisitsSchema,
  on_success: steps('the steps to run when the step has completed; earlier steps are allowed'),
  on_failure: steps('the steps to run when the step has failed for good, instead of ending the run; earlier steps are allowed'),
};

/** A type that declares `on_success` or `on_failure` itself handles both. */
export function hasOwnOutcomeTransitions({ properties }: StepType): boolean {
  return OUTCOME_TRANSITIONS.some((property) => Object.hasOwn(properties, property));
}

export function isOutcomeTransition(property: string): boolean {
  return (OUTCOME_TRANSITIONS as readonly string[]).includes(property);
}

/** Whether a failed step continues its run: its failure chooses the next steps, and its error is an output. */
export function survivesFailure(stepType: StepType, { on_failure: onFailure }: Readonly<Record<string, unknown>>): boolean {
  return !hasOwnOutcomeTransitions(stepType) && Array.isArray(onFailure) && onFailure.length > 0;
}
