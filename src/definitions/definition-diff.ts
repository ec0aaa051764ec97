// Plans the changes that bring the server to the state of the definition files.

import type { App } from '../core/app.ts';
import { workflowIdsOf } from '../core/sink/fan-out-setting.ts';
import type { DefinitionOwner, ManagedBy, Sink } from '../core/sink/sink.ts';
import type { Sealer } from '../sealer.ts';
import type { DefinitionChange, WorkflowRecord } from '../storage/definition-store.ts';
import type { CatalogSnapshot } from './catalog.ts';
import { type DefinitionDocument, sinkName } from './definition-document.ts';
import { describeSink } from './sinks/describe-sink.ts';
import { toStoredSink } from './sinks/stored-sink.ts';

/** One line of a diff, with its change. */
export interface PlannedChange {
  action: 'create' | 'update' | 'delete';
  kind: 'app' | 'workflow' | 'sink';
  /** `demo`, `demo/review`, `demo POST /webhook`. */
  name: string;
  change: DefinitionChange;
}

/** The owner of the document, and the time of applying it. */
export interface DiffOptions {
  owner: DefinitionOwner;
  sealer: Sealer;
  now: number;
}

/**
 * A document contains all definitions of its owner: missing ones are deleted, those of other owners stay. Apps are never
 * deleted, because their runs may still be needed. The changes are in an order in which they can be applied.
 */
export function diffDefinitions(
  wanted: DefinitionDocument,
  current: CatalogSnapshot,
  { owner, sealer, now }: DiffOptions,
): PlannedChange[] {
  return [
    ...diffApps(wanted, current, owner),
    ...deletedSinks(wanted, current, owner),
    ...diffWorkflows(wanted, current, owner),
    ...diffSinks(wanted, current, { owner, sealer, now }),
    ...deletedWorkflows(wanted, current, owner),
  ];
}

/** The demo never changes definitions of other owners. */
function isProtectedFromDemo(owner: DefinitionOwner, existing: { managedBy: ManagedBy } | undefined): boolean {
  return owner === 'demo' && existing !== undefined && existing.managedBy !== 'demo';
}

function diffApps(wanted: DefinitionDocument, current: CatalogSnapshot, owner: DefinitionOwner): PlannedChange[] {
  const known = new Map(current.apps.map((app) => [app.id, app]));
  const plan = (app: App): PlannedChange[] => {
    const existing = known.get(app.id);
    if (isProtectedFromDemo(owner, existing) || (existing?.managedBy === owner && existing.name === app.name)) return [];
    return [
      {
        action: existing === undefined ? 'create' : 'update',
        kind: 'app',
        name: app.id,
        change: { kind: 'put_app', app, managedBy: owner },
      },
    ];
  };
  return wanted.apps.flatMap(plan);
}

function diffWorkflows(wanted: DefinitionDocument, current: CatalogSnapshot, owner: DefinitionOwner): PlannedChange[] {
  const known = new Map(current.workflows.map((workflow) => [`${workflow.appId}/${workflow.id}`, workflow]));
  return wanted.workflows.flatMap(({ appId, id, document }): PlannedChange[] => {
    const name = `${appId}/${id}`;
    const existing = known.get(name);
    if (isProtectedFromDemo(owner, existing) || (existing?.managedBy === owner && existing.document === document)) return [];
    const change: DefinitionChange = { kind: 'put_workflow', appId, workflowId: id, document, managedBy: owner };
    return [{ action: existing === undefined ? 'create' : 'update', kind: 'workflow', name, change }];
  });
}

function diffSinks(wanted: DefinitionDocument, current: CatalogSnapshot, { owner, sealer, now }: DiffOptions): PlannedChange[] {
  const known = new Map(current.sinks.map((sink) => [sinkName(sink), sink]));
  return wanted.sinks.flatMap((definition): PlannedChange[] => {
    const existing = known.get(sinkName(definition));
    if (isProtectedFromDemo(owner, existing)) return [];
    const sink = toStoredSink(definition, { managedBy: owner, existing, sealer, now });
    if (existing !== undefined && isSameSink(existing, sink)) return [];
    return [
      { action: existing === undefined ? 'create' : 'update', kind: 'sink', name: displayName(sink), change: { kind: 'put_sink', sink } },
    ];
  });
}

function isSameSink(a: Sink, b: Sink): boolean {
  return a.managedBy === b.managedBy && JSON.stringify(describeSink(a)) === JSON.stringify(describeSink(b));
}

function deletedSinks(wanted: DefinitionDocument, current: CatalogSnapshot, owner: DefinitionOwner): PlannedChange[] {
  const names = new Set(wanted.sinks.map(sinkName));
  return current.sinks
    .filter((sink) => sink.managedBy === owner && !names.has(sinkName(sink)))
    .map((sink) => ({ action: 'delete', kind: 'sink', name: displayName(sink), change: { kind: 'delete_sink', sinkId: sink.id } }));
}

function deletedWorkflows(wanted: DefinitionDocument, current: CatalogSnapshot, owner: DefinitionOwner): PlannedChange[] {
  const names = new Set(wanted.workflows.map(({ appId, id }) => `${appId}/${id}`));
  return current.workflows
    .filter(({ appId, id, managedBy }) => managedBy === owner && !names.has(`${appId}/${id}`))
    .filter((workflow) => owner !== 'demo' || !isUsedByOthers(workflow, current))
    .map(({ appId, id }) => ({
      action: 'delete',
      kind: 'workflow',
      name: `${appId}/${id}`,
      change: { kind: 'delete_workflow', appId, workflowId: id },
    }));
}

/** A workflow of the demo stays while a sink of another owner uses it. */
function isUsedByOthers({ appId, id }: WorkflowRecord, { sinks }: CatalogSnapshot): boolean {
  return sinks.some((sink) => sink.managedBy !== 'demo' && sink.appId === appId && workflowIdsOf(sink).includes(id));
}

function displayName({ appId, method, path }: Sink): string {
  return `${appId} ${method} ${path}`;
}
