// Caches planned workflow versions by name and number. A version never changes, so an entry never goes stale.

import { parseJson } from '../core/json/json.ts';
import type { WorkflowDocument } from '../core/workflow/document.ts';
import { planWorkflow, type Workflow } from '../core/workflow/plan.ts';
import { CAPTURE_WORKFLOW } from '../steps/sluice/capture.ts';
import type { Storage } from '../storage/storage.ts';

const MAX_CACHED = 1000;

export interface WorkflowReference {
  id: string;
  version: number;
}

/** Resolves to null when the version is not stored; a null reference stands for the capturing default. */
export type LoadWorkflow = (appId: string, reference: WorkflowReference | null) => Promise<Workflow | null>;

export function createWorkflowCache(storage: Pick<Storage, 'findWorkflow'>): LoadWorkflow {
  const cached = new Map<string, Workflow>();
  return async (appId, reference) => {
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
  };
}
