// Every built-in step type, in the order of the documentation.

import { forEach } from './for-each.ts';
import { innerWorkflow } from './inner-workflow.ts';
import { roboflowStepTypes } from './roboflow/index.ts';
import { robovisionStepTypes } from './robovision/index.ts';
import { sluiceStepTypes } from './sluice/index.ts';
import type { StepType } from './step-type.ts';
import { v7StepTypes } from './v7/index.ts';

export const builtinStepTypes: readonly StepType[] = [
  ...sluiceStepTypes,
  forEach as unknown as StepType,
  innerWorkflow as unknown as StepType,
  ...roboflowStepTypes,
  ...v7StepTypes,
  ...robovisionStepTypes,
];
