// Turns the obstacles of planning into a plan: images that must be loaded first, or a fault that fails the step.

import { PythonError } from '../../core/python/error.ts';
import { ImageFault, ImagesWanted } from '../../core/uql/image.ts';
import { OperationFault } from '../../core/uql/operations/operation-fault.ts';
import type { StepOutcome, StepPlan } from '../step-type.ts';
import { SettingFault } from './setting-values.ts';

/** Returns the result of `plan`. Turns errors about the step's data into a plan and rethrows all others. */
export function withOperations(plan: () => StepPlan): StepPlan {
  try {
    return plan();
  } catch (error) {
    if (error instanceof ImagesWanted) return { kind: 'load', wants: error.wants };
    if (error instanceof OperationFault || error instanceof PythonError || error instanceof ImageFault)
      return failedStep('operation_failed', error.message);
    if (error instanceof SettingFault) return failedStep('invalid_setting', error.message);
    throw error;
  }
}

/** Not retried: the same data would fail again. */
export function failedStep(code: string, message: string): Extract<StepOutcome, { kind: 'failed' }> {
  return { kind: 'failed', error: { code, message }, retryable: false };
}
