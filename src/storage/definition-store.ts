// Apps, workflows and sinks in the storage.

import type { App } from '../core/app.ts';
import type { ManagedBy, Sink } from '../core/sink/sink.ts';

export interface WorkflowRecord {
  id: string;
  appId: string;
  version: number;
  /** The definition as JSON text, as it was saved. */
  document: string;
  managedBy: ManagedBy;
  createdAt: number;
}

export interface AppRecord extends App {
  managedBy: ManagedBy;
  createdAt: number;
}

export interface Definitions {
  apps: AppRecord[];
  /** The latest version of each. */
  workflows: WorkflowRecord[];
  sinks: Sink[];
}

export type DefinitionChange =
  | { kind: 'put_app'; app: App; managedBy: ManagedBy }
  | { kind: 'delete_app'; appId: string }
  | { kind: 'put_workflow'; appId: string; workflowId: string; document: string; managedBy: ManagedBy }
  | { kind: 'delete_workflow'; appId: string; workflowId: string }
  /** Makes the sink, or replaces the one with the same id. */
  | { kind: 'put_sink'; sink: Sink }
  | { kind: 'delete_sink'; sinkId: string };

export interface DefinitionStore {
  /** Everything that triggers are matched against. */
  loadDefinitions(): Promise<Definitions>;
  /** One version of a workflow, or the latest; null when there is none. */
  findWorkflow(appId: string, workflowId: string, version: number | null): Promise<WorkflowRecord | null>;
  /** Applies all changes or none. Rejects with `conflict`, `invalid` or `not_found` that names the offending one. */
  changeDefinitions(changes: DefinitionChange[], now: number): Promise<void>;
}
