// The definitions in memory: all sinks, each with its current workflow planned. A change of definitions replaces the whole
// catalog at once.

import { parseJson } from '../core/json/json.ts';
import { workflowIdsOf } from '../core/sink/fan-out-setting.ts';
import type { Sink } from '../core/sink/sink.ts';
import type { WorkflowDocument } from '../core/workflow/document.ts';
import { planWorkflow, type Workflow } from '../core/workflow/plan.ts';
import { CAPTURE_WORKFLOW } from '../steps/sluice/capture.ts';
import type { AppRecord, Definitions, WorkflowRecord } from '../storage/definition-store.ts';
import type { Storage } from '../storage/storage.ts';

export interface CatalogSnapshot {
  /** As storage counts it. */
  version: number;
  apps: readonly AppRecord[];
  workflows: readonly WorkflowRecord[];
  sinks: readonly Sink[];
}

export interface SinkWorkflow {
  workflow: Workflow;
  /** Null when the sink has no workflow. */
  reference: { id: string; version: number } | null;
}

export interface Catalog {
  current(): CatalogSnapshot;
  /** Returns the workflow loaded together with the sink, so that a request in flight sees a consistent pair. */
  workflowOf(sink: Sink): SinkWorkflow;
  /** As `workflowOf`, for a sink with several. Undefined: it does not start the workflow. */
  workflowNamed(sink: Sink, workflowId: string): SinkWorkflow | undefined;
  findSink(sinkId: string): Sink | undefined;
  /** Puts definitions into force, unless later ones are. */
  use(definitions: Definitions): void;
  /** Loads all definitions again. The old ones stay in force until it resolves. */
  reload(): Promise<void>;
  onChange(listener: (snapshot: CatalogSnapshot) => void): void;
}

const CAPTURE: SinkWorkflow = { workflow: CAPTURE_WORKFLOW, reference: null };

export async function createCatalog(storage: Pick<Storage, 'loadDefinitions'>): Promise<Catalog> {
  const listeners: ((snapshot: CatalogSnapshot) => void)[] = [];
  let snapshot: CatalogSnapshot = { version: 0, apps: [], workflows: [], sinks: [] };
  let sinksById = new Map<string, Sink>();
  const workflows = new WeakMap<Sink, SinkWorkflow>();
  const severalById = new WeakMap<Sink, ReadonlyMap<string, SinkWorkflow>>();

  const catalog: Catalog = {
    current: () => snapshot,
    workflowOf: (sink) => workflows.get(sink) ?? CAPTURE,
    workflowNamed: (sink, workflowId) => severalById.get(sink)?.get(workflowId),
    findSink: (sinkId) => sinksById.get(sinkId),
    use(definitions) {
      // Later definitions may be in force already.
      if (definitions.version < snapshot.version) return;
      const planned = new Map(definitions.workflows.map((record) => [`${record.appId}/${record.id}`, plan(record)]));
      for (const sink of definitions.sinks) {
        const byId = new Map(workflowIdsOf(sink).map((id) => [id, findPlanned(planned, sink.appId, id)]));
        if (sink.workflowId !== null) workflows.set(sink, byId.get(sink.workflowId) as SinkWorkflow);
        else if (sink.workflows !== undefined) severalById.set(sink, byId);
      }
      sinksById = new Map(definitions.sinks.map((sink) => [sink.id, sink]));
      snapshot = definitions;
      for (const listener of listeners) listener(snapshot);
    },
    reload: async () => catalog.use(await storage.loadDefinitions()),
    onChange(listener) {
      listeners.push(listener);
    },
  };
  await catalog.reload();
  return catalog;
}

function findPlanned(planned: ReadonlyMap<string, SinkWorkflow>, appId: string, id: string): SinkWorkflow {
  const workflow = planned.get(`${appId}/${id}`);
  if (workflow === undefined) throw new Error(`workflow ${id} of app ${appId} is not stored`);
  return workflow;
}

function plan({ id, version, document }: WorkflowRecord): SinkWorkflow {
  return { workflow: planWorkflow(id, version, parseJson(document) as WorkflowDocument), reference: { id, version } };
}
