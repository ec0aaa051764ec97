// The storage of definitions: apps, workflow versions and sinks.

import type { App } from '../core/app.ts';
import type { ManagedBy, Sink } from '../core/sink/sink.ts';

export interface WorkflowRecord {
  id: string;
  appId: string;
  version: number;
  /** The saved definition as JSON text. */
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
  /** The latest version of each workflow. */
  workflows: WorkflowRecord[];
  sinks: Sink[];
}

export type DefinitionChange =
  | { kind: 'put_app'; app: App; managedBy: ManagedBy }
  | { kind: 'delete_app'; appId: string }
  | { kind: 'put_workflow'; appId: string; workflowId: string; document: string; managedBy: ManagedBy }
  | { kind: 'delete_workflow'; appId: string; workflowId: string }
  /** Creates the sink, or replaces the one with the same id. */
  | { kind: 'put_sink'; sink: Sink }
  | { kind: 'delete_sink'; sinkId: string };

export interface DefinitionStore {
  /** Returns all apps, workflows and sinks that are not deleted. */
  loadDefinitions(): Promise<Definitions>;
  /**
   * Returns one version of a workflow, or its latest if `version` is null.
   * A deleted workflow is found by version only.
   * Null: there is none.
   */
  findWorkflow(appId: string, workflowId: string, version: number | null): Promise<WorkflowRecord | null>;
  /**
   * Applies all changes in order, or none.
   * Rejects with `conflict`, `invalid` or `not_found`, which name the first change that cannot be applied.
   */
  changeDefinitions(changes: DefinitionChange[], now: number): Promise<void>;
}
