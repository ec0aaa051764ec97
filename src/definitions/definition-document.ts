// The document that definition files hold and that `apply` takes: apps, workflows and sinks, checked whole.

import { appIdFault } from '../core/app.ts';
import { type Fault, nestFaults } from '../core/fault.ts';
import { stringifyJson, withPlainNumbers } from '../core/json.ts';
import { createSchemaCheck } from '../core/schema.ts';
import { parseSink, type SinkDefinition } from '../core/sink.ts';
import { patternKey } from '../core/sink-path.ts';
import { type InspectManifest, workflowFaults, workflowIdFault } from '../core/workflow.ts';

export interface WorkflowDefinition {
  appId: string;
  id: string;
  /** JSON text. */
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

interface Outline {
  apps?: { id: string; name?: string | null }[];
  workflows?: { app_id: string; id: string; definition: unknown }[];
  sinks?: unknown[];
}

/** Returns the definitions, or every fault with its path. Numbers in workflow definitions keep their text. */
export function parseDefinitions(value: unknown, inspect: InspectManifest): { definitions: DefinitionDocument; faults: Fault[] } {
  const nothing = { apps: [], workflows: [], sinks: [] };
  const outlineFaults = checkOutline(withPlainNumbers(value));
  if (outlineFaults.length > 0) return { definitions: nothing, faults: outlineFaults };
  const { apps = [], workflows = [], sinks = [] } = value as Outline;

  const faults: Fault[] = [];
  for (const [index, app] of apps.entries()) addFault(faults, `apps[${index}].id`, appIdFault(app.id));
  for (const [index, { app_id: appId, id, definition }] of workflows.entries()) {
    const path = `workflows[${index}]`;
    addFault(faults, `${path}.app_id`, appIdFault(appId));
    addFault(faults, `${path}.id`, workflowIdFault(id));
    faults.push(...nestFaults(`${path}.definition`, workflowFaults(withPlainNumbers(definition), inspect)));
  }
  const parsedSinks: SinkDefinition[] = [];
  for (const [index, document] of sinks.entries()) {
    const { sink, faults: sinkFaults } = parseSink(withPlainNumbers(document));
    faults.push(...nestFaults(`sinks[${index}]`, sinkFaults));
    if (sink !== null) parsedSinks.push(sink);
  }
  faults.push(
    ...repeated(
      'apps',
      apps.map(({ id }) => id),
    ),
    ...repeated(
      'workflows',
      workflows.map(({ app_id: appId, id }) => `${appId}/${id}`),
    ),
    ...(parsedSinks.length === sinks.length ? repeated('sinks', parsedSinks.map(sinkName)) : []),
  );
  const definitions: DefinitionDocument = {
    apps: apps.map(({ id, name = null }) => ({ id, name })),
    workflows: workflows.map(({ app_id: appId, id, definition }) => ({ appId, id, document: stringifyJson(definition) })),
    sinks: parsedSinks,
  };
  return { definitions, faults };
}

/** What tells one sink from another: `app METHOD /path`, its parameters unnamed. */
export function sinkName({ appId, method, path }: Pick<SinkDefinition, 'appId' | 'method' | 'path'>): string {
  return `${appId} ${method} ${patternKey(path)}`;
}

function addFault(faults: Fault[], path: string, message: string | null): void {
  if (message !== null) faults.push({ path, message });
}

function repeated(list: string, names: string[]): Fault[] {
  return names.flatMap((name, index) => {
    const first = names.indexOf(name);
    return first < index ? [{ path: `${list}[${index}]`, message: `"${name}" is defined already at ${list}[${first}]` }] : [];
  });
}
