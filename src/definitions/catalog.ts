// The definitions in memory: all sinks, each with its current workflow planned. A change of definitions replaces the whole
// catalog at once.

import { parseJson } from '../core/json/json.ts';
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

  const catalog: Catalog = {
    current: () => snapshot,
    workflowOf: (sink) => workflows.get(sink) ?? CAPTURE,
    findSink: (sinkId) => sinksById.get(sinkId),
    use(definitions) {
      // Later definitions may be in force already.
      if (definitions.version < snapshot.version) return;
      const planned = new Map(definitions.workflows.map((record) => [`${record.appId}/${record.id}`, plan(record)]));
      for (const sink of definitions.sinks) {
        if (sink.workflowId === null) continue;
        const workflow = planned.get(`${sink.appId}/${sink.workflowId}`);
        if (workflow === undefined) throw new Error(`workflow ${sink.workflowId} of app ${sink.appId} is not stored`);
        workflows.set(sink, workflow);
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

function plan({ id, version, document }: WorkflowRecord): SinkWorkflow {
  return { workflow: planWorkflow(id, version, parseJson(document) as WorkflowDocument), reference: { id, version } };
}
