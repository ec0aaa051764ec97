// Outcomes of control flow: run the steps that a manifest names, or end the branch.

import { selectedStep } from '../../../core/workflow/selector.ts';
import type { StepOutcome } from '../../step-type.ts';

type CompletedOutcome = Extract<StepOutcome, { kind: 'completed' }>;

/** `references` name steps, as `$steps.name`. */
export function runNext(references: readonly string[]): CompletedOutcome {
  return { kind: 'completed', outputs: {}, chosen: references.map(selectedStep).filter((name) => name !== null) };
}

export function endBranch(): CompletedOutcome {
  return { kind: 'completed', outputs: {}, chosen: [] };
}
