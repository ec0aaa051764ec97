// The inputs of an execution, and the effects that it asks for.

import type { Request } from '../../core/run/request.ts';
import type { ImageWant } from '../../core/uql/image.ts';
import type { Workflow } from '../../core/workflow/plan.ts';
import type { StepTypes } from '../../steps/registry.ts';
import type { FileRead, FileWrite } from '../../steps/step-type.ts';
import type { StepRecord } from '../../storage/run-records.ts';
import type { SecretPlaceholder } from './prepared-step.ts';
import type { Recall } from './step-planner.ts';

export interface ExecutionTools {
  stepTypes: StepTypes;
  /** In [0, 1), for retry jitter. */
  random: () => number;
  recall: Recall;
  /** The time of the wall clock at a moment of server time. */
  toWall: (at: number) => number;
  placeholder: SecretPlaceholder;
  /** Hides secrets in text that callers see. */
  mask: (runId: string, text: string) => string;
}

export interface ExecutionStart {
  runId: string;
  sinkId: string;
  workflow: Workflow;
  request: Request;
  inputs: Record<string, unknown>;
}

/** Where an earlier owner of the run left it. */
export interface ExecutionPast {
  /** The last visit of each. */
  steps: StepRecord[];
  progress: number;
  lastSeq: number;
}

/** An effect in this process that a step waits for. */
export interface LocalEffect {
  step: string;
  plan: { kind: 'load'; wants: readonly ImageWant[] } | FileWrite | FileRead;
}
