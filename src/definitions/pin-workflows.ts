// Pins the workflows that a definition uses when it is saved: copies of them are stored with it, so that later changes of
// those workflows do not affect it.

import type { Fault } from '../core/fault.ts';
import { stringifyJson } from '../core/json/json.ts';
import { withoutPins } from '../core/workflow/document.ts';
import {
  hasInnerWorkflow,
  type InnerWorkflowReference,
  MAX_INNER_WORKFLOWS,
  pinKey,
  readReference,
} from '../core/workflow/inner-workflow-step.ts';

export interface SavedWorkflow {
  /** Null when the workflow is only checked. */
  id: string | null;
  appId: string;
  /** The chain of workflows that use this one, which it must not use. */
  usedBy?: readonly string[];
}

/** Resolves to the definition with its own copies; null when there is none, undefined when this is unknown. */
export type FindDefinition = (reference: InnerWorkflowReference, usedBy: readonly string[]) => Promise<unknown>;

/** Accepts any document. Copies in it are dropped, because only a save creates them. */
export async function pinWorkflows(
  { id, appId, usedBy = [] }: SavedWorkflow,
  written: unknown,
  find: FindDefinition,
): Promise<{ document: unknown; faults: Fault[] }> {
  const document = withoutPins(written);
  const places = findReferences(document, 'steps');
  // Too many references are a fault that is reported elsewhere, without copies.
  if (places.length === 0 || places.length > MAX_INNER_WORKFLOWS) return { document, faults: [] };
  const above = id === null ? usedBy : [...usedBy, id];
  const faults: Fault[] = [];
  const pins: Record<string, unknown> = {};
  for (const { path, reference } of places) {
    const known = await resolveReference(reference, appId, above, find);
    if (known.fault !== null) faults.push({ path: `${path}.${known.fault.path}`, message: known.fault.message });
    else if (known.definition !== undefined) pins[pinKey(reference)] = known.definition;
  }
  if (Object.keys(pins).length === 0) return { document, faults };
  const pinned = { ...(document as object), pinned_workflows: pins };
  if (stringifyJson(pinned).length <= MAX_TEXT) return { document: pinned, faults };
  return {
    document,
    faults: [...faults, { path: 'steps', message: 'the workflow, including the workflows that it uses, is larger than 4 MiB' }],
  };
}

const MAX_TEXT = 4 * 2 ** 20;

async function resolveReference(
  reference: InnerWorkflowReference,
  appId: string,
  above: readonly string[],
  find: FindDefinition,
): Promise<{ definition?: unknown; fault: Fault | null }> {
  const { workspace, id, version } = reference;
  if (workspace !== 'local' && workspace !== appId)
    return {
      fault: { path: 'workflow_workspace_id', message: `must be "local" or "${appId}": a workflow can only use workflows of its own app` },
    };
  const cycle = above.includes(id) ? [...above, id] : null;
  const definition = cycle === null ? await find(reference, above) : undefined;
  const user = cycle ?? [...above, id, ...chainTo(above, definition)];
  if (cycle !== null || user.length > above.length + 1)
    return { fault: { path: 'workflow_id', message: `Inner workflow composition graph contains a cycle: ${user.join(' uses ')}` } };
  if (definition !== null) return { definition, fault: null };
  const which = version === null ? '' : ` of version ${version}`;
  return { fault: { path: 'workflow_id', message: `app "${appId}" has no workflow "${id}"${which}` } };
}

/** True when a stored definition has a copy of the workflow for its own steps. */
export function usesWorkflow(definition: unknown, workflowId: string): boolean {
  return pinsIn(definition).some(({ id }) => id === workflowId);
}

function pinsIn(definition: unknown): { id: string; copy: unknown }[] {
  const { pinned_workflows: pins = {} } = (definition ?? {}) as { pinned_workflows?: Record<string, unknown> };
  return Object.entries(pins).map(([key, copy]) => ({ id: key.replace(/@.*$/, ''), copy }));
}

/** Returns the chain of ids from a definition to one of these workflows; empty when it uses none of them. */
function chainTo(ids: readonly string[], definition: unknown): string[] {
  for (const { id, copy } of pinsIn(definition)) {
    if (ids.includes(id)) return [id];
    const chain = chainTo(ids, copy);
    if (chain.length > 0) return [id, ...chain];
  }
  return [];
}

interface Place {
  path: string;
  reference: InnerWorkflowReference;
}

function findReferences(document: unknown, path: string): Place[] {
  const { steps } = (document ?? {}) as { steps?: unknown };
  if (!Array.isArray(steps)) return [];
  return (steps as unknown[]).flatMap((step, index): Place[] => {
    if (typeof step !== 'object' || step === null || !hasInnerWorkflow(step as { type?: unknown })) return [];
    const reference = readReference(step);
    if (reference !== null) return [{ path: `${path}[${index}]`, reference }];
    const { workflow_definition: definition } = step as { workflow_definition?: unknown };
    return findReferences(definition, `${path}[${index}].workflow_definition.steps`);
  });
}
