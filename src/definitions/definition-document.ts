// Parses the document of definition files and of `apply`: apps, workflows and sinks, validated as a whole.

import { appIdFault } from '../core/app.ts';
import { type Fault, nestFaults } from '../core/fault.ts';
import { stringifyJson, withPlainNumbers } from '../core/json/json.ts';
import { createSchemaCheck } from '../core/schema.ts';
import { parseSink, type SinkDefinition } from '../core/sink/sink.ts';
import { patternKey } from '../core/sink/sink-path.ts';
import { type InspectManifest, workflowFaults } from '../core/workflow/faults.ts';
import type { InnerWorkflowReference } from '../core/workflow/inner-workflow-step.ts';
import { workflowIdFault } from '../core/workflow/plan.ts';
import { pinWorkflows } from './pin-workflows.ts';

export interface WorkflowDefinition {
  appId: string;
  id: string;
  /** JSON text, including copies of the workflows that it uses. */
  document: string;
}

export interface DefinitionDocument {
  apps: { id: string; name: string | null }[];
  workflows: WorkflowDefinition[];
  sinks: SinkDefinition[];
}

const objects = { type: 'array', items: { type: 'object' } };

const checkOutline = createSchemaCheck({
  type: 'object',
  additionalProperties: false,
  properties: {
    apps: {
      type: 'array',
      items: {
        type: 'object',
        required: ['id'],
        additionalProperties: false,
        properties: { id: { type: 'string' }, name: { type: ['string', 'null'] } },
      },
    },
    workflows: {
      type: 'array',
      items: {
        type: 'object',
        required: ['app_id', 'id', 'definition'],
        additionalProperties: false,
        properties: { app_id: { type: 'string' }, id: { type: 'string' }, definition: { type: 'object' } },
      },
    },
    sinks: objects,
  },
});

interface OutlineWorkflow {
  app_id: string;
  id: string;
  definition: unknown;
}

interface Outline {
  apps?: { id: string; name?: string | null }[];
  workflows?: OutlineWorkflow[];
  sinks?: unknown[];
}

/** Finds a stored workflow, including copies of those that it uses; null when there is none. `isDefined`: the document defines it too. */
export type FindStoredWorkflow = (appId: string, reference: InnerWorkflowReference, isDefined: boolean) => Promise<unknown>;

/**
 * Resolves to the definitions and every fault with its path. Numbers in workflow definitions keep their text. Without
 * `findStored`, workflows that are used but not defined in the document are not checked.
 */
export async function parseDefinitions(
  value: unknown,
  inspect: InspectManifest,
  findStored: FindStoredWorkflow = async () => undefined,
): Promise<{ definitions: DefinitionDocument; faults: Fault[] }> {
  const nothing = { apps: [], workflows: [], sinks: [] };
  const outlineFaults = checkOutline(withPlainNumbers(value));
  if (outlineFaults.length > 0) return { definitions: nothing, faults: outlineFaults };
  const { apps = [], workflows = [], sinks = [] } = value as Outline;
  const faults: Fault[] = [];
  for (const [index, app] of apps.entries()) addFault(faults, `apps[${index}].id`, appIdFault(app.id));
  const definitions: DefinitionDocument = {
    apps: apps.map(({ id, name = null }) => ({ id, name })),
    workflows: await parseWorkflows(workflows, inspect, findStored, faults),
    sinks: parseSinks(sinks, faults),
  };
  const appNames = apps.map(({ id }) => id);
  const workflowNames = workflows.map(({ app_id: appId, id }) => `${appId}/${id}`);
  faults.push(
    ...repeated('apps', appNames),
    ...repeated('workflows', workflowNames),
    // Without the sinks that have faults, the places of the others are unknown.
    ...(definitions.sinks.length === sinks.length ? repeated('sinks', definitions.sinks.map(sinkName)) : []),
  );
  return { definitions, faults };
}

async function parseWorkflows(
  workflows: readonly OutlineWorkflow[],
  inspect: InspectManifest,
  findStored: FindStoredWorkflow,
  faults: Fault[],
): Promise<WorkflowDefinition[]> {
  const pin = createPinning(workflows, findStored);
  const parsed: WorkflowDefinition[] = [];
  for (const [index, { app_id: appId, id }] of workflows.entries()) {
    const path = `workflows[${index}]`;
    const pinned = await pin(index, []);
    parsed.push({ appId, id, document: stringifyJson(pinned.document) });
    addFault(faults, `${path}.app_id`, appIdFault(appId));
    addFault(faults, `${path}.id`, workflowIdFault(id));
    faults.push(...nestFaults(`${path}.definition`, [...workflowFaults(withPlainNumbers(pinned.document), inspect), ...pinned.faults]));
  }
  return parsed;
}

/** Returns the sinks without faults. */
function parseSinks(sinks: readonly unknown[], faults: Fault[]): SinkDefinition[] {
  const parsed: SinkDefinition[] = [];
  for (const [index, document] of sinks.entries()) {
    const { sink, faults: sinkFaults } = parseSink(withPlainNumbers(document));
    faults.push(...nestFaults(`sinks[${index}]`, sinkFaults));
    if (sink !== null) parsed.push(sink);
  }
  return parsed;
}

type Pinned = Awaited<ReturnType<typeof pinWorkflows>>;

/** Pins each workflow once. References are looked up in the document first, then in storage. */
function createPinning(
  workflows: readonly OutlineWorkflow[],
  findStored: FindStoredWorkflow,
): (index: number, usedBy: readonly string[]) => Promise<Pinned> {
  const done = new Map<number, Pinned>();
  return async function pin(index, usedBy) {
    const known = done.get(index);
    if (known !== undefined) return known;
    const { app_id: appId, id, definition } = workflows[index] as OutlineWorkflow;
    const pinned = await pinWorkflows({ appId, id, usedBy }, definition, async (reference, above) => {
      const other = workflows.findIndex((item) => item.app_id === appId && item.id === reference.id);
      if (other !== -1 && reference.version === null) return (await pin(other, above)).document;
      return await findStored(appId, reference, other !== -1);
    });
    done.set(index, pinned);
    return pinned;
  };
}

/** Identifies a sink: `app METHOD /path`, without names of path parameters. */
export function sinkName({ appId, method, path }: Pick<SinkDefinition, 'appId' | 'method' | 'path'>): string {
  return `${appId} ${method} ${patternKey(path)}`;
}

function addFault(faults: Fault[], path: string, message: string | null): void {
  if (message !== null) faults.push({ path, message });
}

function repeated(list: string, names: string[]): Fault[] {
  return names.flatMap((name, index) => {
    const first = names.indexOf(name);
    return first < index ? [{ path: `${list}[${index}]`, message: `"${name}" is already defined at ${list}[${first}]` }] : [];
  });
}
