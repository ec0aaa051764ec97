// Plans a sampling stage like the engine, in the run of a given id.

import { planWorkflow } from '../../../src/core/workflow/plan.ts';
import { PreparedStep } from '../../../src/engine/execution/prepared-step.ts';
import type { StepType } from '../../../src/steps/step-type.ts';
import { samplingStage } from '../../../src/steps/v7/sampling-stage.ts';
import { planOfKind } from '../roboflow/step-context.ts';

export interface Drawn {
  outputs: Record<string, unknown>;
  chosen?: readonly string[];
}

export function draw(manifest: Record<string, unknown>, runId: string, step = 'sample'): Drawn {
  const document = { version: '1.0', inputs: [], steps: [{ type: samplingStage.type, name: step, ...manifest }], outputs: [] };
  const workflow = planWorkflow('flow', 1, document as unknown as Parameters<typeof planWorkflow>[2]);
  const tools = { toWall: (at: number) => at, placeholder: () => null };
  const run = { runId, graph: workflow, roots: {}, bodyKind: 'empty' as const, bodySize: 0, tools, isAnswered: false };
  const prepared = new PreparedStep(run, workflow.steps[0] as (typeof workflow.steps)[number], samplingStage as unknown as StepType, {
    visit: 1,
    attempt: 1,
    now: 0,
  });
  return planOfKind(samplingStage.plan(prepared.manifest as unknown as Parameters<typeof samplingStage.plan>[0], prepared), 'completed');
}
