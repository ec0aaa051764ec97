// The programs of workflows that are graphs of steps. Planned versions are cached by name and number: a version never
// changes, so an entry never goes stale.

import { parseJson } from '../../core/json/json.ts';
import type { WorkflowDocument } from '../../core/workflow/document.ts';
import { planWorkflow, type Workflow } from '../../core/workflow/plan.ts';
import { CAPTURE_WORKFLOW } from '../../steps/sluice/capture.ts';
import type { Storage } from '../../storage/storage.ts';
import { Execution } from './execution.ts';
import type { Programs } from './program.ts';
import type { ExecutionTools } from './step-planner.ts';

const MAX_CACHED = 1000;

export function createGraphPrograms(tools: ExecutionTools, storage: Pick<Storage, 'findWorkflow'>): Programs {
  const cached = new Map<string, Workflow>();
  return {
    create: (start, past) => new Execution(tools, start, past),
    async load(appId, reference) {
      if (reference === null) return CAPTURE_WORKFLOW;
      const key = `${appId}/${reference.id}@${reference.version}`;
      const known = cached.get(key);
      if (known !== undefined) return known;
      const record = await storage.findWorkflow(appId, reference.id, reference.version);
      if (record === null) return null;
      const workflow = planWorkflow(record.id, record.version, parseJson(record.document) as WorkflowDocument);
      if (cached.size >= MAX_CACHED) cached.clear();
      cached.set(key, workflow);
      return workflow;
    },
  };
}
