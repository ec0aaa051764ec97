// Looks up the workflows that a definition refers to when it is saved, and keeps copies of them in it: what a run does
// is settled when its workflow is saved, whatever becomes of the others.

import type { Fault } from '../core/fault.ts';
import { stringifyJson } from '../core/json/json.ts';
import { withoutPins } from '../core/workflow/document.ts';
import {
  type InnerWorkflowReference,
  isInnerWorkflow,
  MAX_INNER_WORKFLOWS,
  pinKey,
  readReference,
} from '../core/workflow/inner-workflow-step.ts';

export interface SavedWorkflow {
  /** Null: not to be saved, only checked. */
  id: string | null;
  appId: string;
  /** Workflows on the way to this one, which it cannot use in turn. */
  usedBy?: readonly string[];
}

/** Resolves to the definition with copies of its own, null when there is none, undefined when that is not known here. */
export type FindDefinition = (reference: InnerWorkflowReference, usedBy: readonly string[]) => Promise<unknown>;

/** Takes any document; one that was written with copies loses them, for only a save makes them. */
export async function pinWorkflows(
  { id, appId, usedBy = [] }: SavedWorkflow,
  written: unknown,
  find: FindDefinition,
): Promise<{ document: unknown; faults: Fault[] }> {
  const document = withoutPins(written);
  const places = findReferences(document, 'steps');
  // More are a fault that needs no copies to be told.
  if (places.length === 0 || places.length > MAX_INNER_WORKFLOWS) return { document, faults: [] };
  const above = id === null ? usedBy : [...usedBy, id];
  const faults: Fault[] = [];
  const pins: Record<string, unknown> = {};
  for (const { path, reference } of places) {
    const known = await look(reference, appId, above, find);
    if (known.fault !== null) faults.push({ path: `${path}.${known.fault.path}`, message: known.fault.message });
    else if (known.definition !== undefined) pins[pinKey(reference)] = known.definition;
  }
  if (Object.keys(pins).length === 0) return { document, faults };
  const pinned = { ...(document as object), pinned_workflows: pins };
  if (stringifyJson(pinned).length <= MAX_TEXT) return { document: pinned, faults };
  return { document, faults: [...faults, { path: 'steps', message: 'the workflow with those that it uses is larger than 4 MiB' }] };
}

const MAX_TEXT = 4 * 2 ** 20;

async function look(
  reference: InnerWorkflowReference,
  appId: string,
  above: readonly string[],
  find: FindDefinition,
): Promise<{ definition?: unknown; fault: Fault | null }> {
  const { workspace, id, version } = reference;
  if (workspace !== 'local' && workspace !== appId)
    return { fault: { path: 'workflow_workspace_id', message: `must be "local" or "${appId}": a workflow uses workflows of its own app` } };
  const circle = above.includes(id) ? [...above, id] : null;
  const definition = circle === null ? await find(reference, above) : undefined;
  const user = circle ?? [...above, id, ...wayTo(above, definition)];
  if (circle !== null || user.length > above.length + 1)
    return { fault: { path: 'workflow_id', message: `Inner workflow composition graph contains a cycle: ${user.join(' uses ')}` } };
  if (definition !== null) return { definition, fault: null };
  const which = version === null ? '' : ` of version ${version}`;
  return { fault: { path: 'workflow_id', message: `app "${appId}" has no workflow "${id}"${which}` } };
}

/** Whether a stored definition holds a copy of the workflow for its own steps. */
export function usesWorkflow(definition: unknown, workflowId: string): boolean {
  return pinsIn(definition).some(({ id }) => id === workflowId);
}

function pinsIn(definition: unknown): { id: string; copy: unknown }[] {
  const { pinned_workflows: pins = {} } = (definition ?? {}) as { pinned_workflows?: Record<string, unknown> };
  return Object.entries(pins).map(([key, copy]) => ({ id: key.replace(/@.*$/, ''), copy }));
}

/** From a definition down to one of these workflows; nothing when it uses none of them. */
function wayTo(ids: readonly string[], definition: unknown): string[] {
  for (const { id, copy } of pinsIn(definition)) {
    if (ids.includes(id)) return [id];
    const way = wayTo(ids, copy);
    if (way.length > 0) return [id, ...way];
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
    if (typeof step !== 'object' || step === null || !isInnerWorkflow(step as { type?: unknown })) return [];
    const reference = readReference(step);
    if (reference !== null) return [{ path: `${path}[${index}]`, reference }];
    const { workflow_definition: definition } = step as { workflow_definition?: unknown };
    return findReferences(definition, `${path}[${index}].workflow_definition.steps`);
  });
}
