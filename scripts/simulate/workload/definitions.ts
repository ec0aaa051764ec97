// The stored definitions of every history: one sink for each workflow.

import { DEFAULT_LIMITS } from '../../../src/core/sink/limits/size-limits.ts';
import type { Sink } from '../../../src/core/sink/sink.ts';
import type { DefinitionState } from '../memory-storage/definitions.ts';
import { FLOWS } from './flows.ts';
import { APP, type SimulatedWorkflow, sinkOf, WORKFLOWS } from './workflows.ts';

const apps = [{ id: APP, name: null, managedBy: 'api' as const, createdAt: 0 }];
const workflows = WORKFLOWS.map(({ workflow: { id, version }, document }) => ({
  id,
  appId: APP,
  version,
  document,
  managedBy: 'api' as const,
  createdAt: 0,
  isDeleted: false,
}));
const sinks = WORKFLOWS.map(toSink);

export function simulatedDefinitions(): DefinitionState {
  return { version: 1, lastEdit: null, apps, workflows, sinks, schedules: [] };
}

function toSink({ workflow: { id } }: SimulatedWorkflow): Sink & { isDeleted: boolean } {
  return {
    id: sinkOf(id),
    appId: APP,
    path: `/${id}`,
    method: 'POST',
    workflowId: id,
    auth: { type: 'none' },
    inputs: {},
    flow: FLOWS.get(sinkOf(id)),
    response: { mode: 'stream' },
    limits: DEFAULT_LIMITS,
    body: 'auto',
    payload: null,
    publicUrl: null,
    managedBy: 'api',
    createdAt: 0,
    updatedAt: 0,
    isDeleted: false,
  };
}
