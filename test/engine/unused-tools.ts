// What an execution is given for steps that remember nothing and use no secrets.

import type { ExecutionTools } from '../../src/engine/execution/step-planner.ts';

export const unusedTools: Pick<ExecutionTools, 'recall' | 'toWall' | 'placeholder' | 'mask'> = {
  recall: () => undefined,
  toWall: (at) => at,
  placeholder: () => null,
  mask: (_runId, text) => text,
};
