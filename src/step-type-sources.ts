// Where the step types of each platform are loaded from, in the order of the documents.

import type { StepTypeSources } from './steps/registry.ts';

export const STEP_TYPE_SOURCES = {
  roboflow_core: async () => (await import('./steps/roboflow/index.ts')).roboflowStepTypes,
  v7: async () => (await import('./steps/v7/index.ts')).v7StepTypes,
  robovision: async () => (await import('./steps/robovision/index.ts')).robovisionStepTypes,
} satisfies StepTypeSources;
