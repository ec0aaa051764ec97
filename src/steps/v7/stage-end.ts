// Outcomes of stages, and the allowed names of stages and edges.

import { selectedStep } from '../../core/workflow/selector.ts';
import type { StepOutcome } from '../step-type.ts';

/** No selectors: names must be known when the definition is saved. */
export const NAME = { type: 'string', minLength: 1, pattern: '^[^$]', description: 'must be a name, not a selector' };

/** `references` name steps, as `$steps.name`. */
export function leaveBy(references: readonly string[], outputs: Record<string, unknown>): Extract<StepOutcome, { kind: 'completed' }> {
  return { kind: 'completed', outputs, chosen: [...new Set(references.map(selectedStep).filter((name) => name !== null))] };
}

export function refuse(code: string, message: string): Extract<StepOutcome, { kind: 'failed' }> {
  return { kind: 'failed', retryable: false, error: { code, message } };
}
