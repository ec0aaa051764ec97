// What triggers are matched against: all sinks, and the current workflow of each, planned and ready. A change of
// definitions replaces the whole of it at once.

import { parseJson } from '../core/json/json.ts';
import type { Sink } from '../core/sink/sink.ts';
import type { WorkflowDocument } from '../core/workflow/document.ts';
import { planWorkflow, type Workflow } from '../core/workflow/plan.ts';
import { CAPTURE_WORKFLOW } from '../steps/sluice/capture.ts';
import type { AppRecord, WorkflowRecord } from '../storage/definition-store.ts';
import type { Storage } from '../storage/storage.ts';

export interface CatalogSnapshot {
  apps: readonly AppRecord[];
  workflows: readonly WorkflowRecord[];
  sinks: readonly Sink[];
}

export interface SinkWorkflow {
  workflow: Workflow;
  /** Null where the sink names no workflow. */
  reference: { id: string; version: number } | null;
}

export interface Catalog {
  current(): CatalogSnapshot;
  /** The workflow of a sink as it was when the sink was loaded, so that a request under way sees both of one age. */
  workflowOf(sink: Sink): SinkWorkflow;
  findSink(sinkId: string): Sink | undefined;
  /** Reads all definitions anew; until it resolves, the old ones hold. */
  reload(): Promise<void>;
  onChange(listener: (snapshot: CatalogSnapshot) => void): void;
}

const CAPTURE: SinkWorkflow = { workflow: CAPTURE_WORKFLOW, reference: null };

export async function createCatalog(storage: Pick<Storage, 'loadDefinitions'>): Promise<Catalog> {
  const listeners: ((snapshot: CatalogSnapshot) => void)[] = [];
  let snapshot: CatalogSnapshot = { apps: [], workflows: [], sinks: [] };
  let sinksById = new Map<string, Sink>();
  const workflows = new WeakMap<Sink, SinkWorkflow>();

  const catalog: Catalog = {
    current: () => snapshot,
    workflowOf: (sink) => workflows.get(sink) ?? CAPTURE,
    findSink: (sinkId) => sinksById.get(sinkId),
    async reload() {
      const loaded = await storage.loadDefinitions();
      const planned = new Map(loaded.workflows.map((record) => [`${record.appId}/${record.id}`, plan(record)]));
      for (const sink of loaded.sinks) {
        if (sink.workflowId === null) continue;
        const workflow = planned.get(`${sink.appId}/${sink.workflowId}`);
        if (workflow === undefined) throw new Error(`workflow ${sink.workflowId} of app ${sink.appId} is not stored`);
        workflows.set(sink, workflow);
      }
      sinksById = new Map(loaded.sinks.map((sink) => [sink.id, sink]));
      snapshot = loaded;
      for (const listener of listeners) listener(snapshot);
    },
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
