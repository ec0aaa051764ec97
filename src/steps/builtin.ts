// Every step type that comes with Sluice, for what needs all of them at once: the command line and the documents.

import { ownStepTypes } from './registry.ts';
import { roboflowStepTypes } from './roboflow/index.ts';
import { robovisionStepTypes } from './robovision/index.ts';
import type { StepType } from './step-type.ts';
import { v7StepTypes } from './v7/index.ts';

export const builtinStepTypes: readonly StepType[] = [...ownStepTypes, ...roboflowStepTypes, ...v7StepTypes, ...robovisionStepTypes];
