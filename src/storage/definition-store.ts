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

/** One saved state of a workflow, without its text. */
export interface VersionSummary {
  version: number;
  createdAt: number;
  /** Whether new runs use it. A deleted workflow has no current version. */
  isCurrent: boolean;
}

export interface AppRecord extends App {
  managedBy: ManagedBy;
  createdAt: number;
}

export interface Definitions {
  /** Counts the changes: of the same version, all definitions are the same. */
  version: number;
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
  /** Creates the sink, or replaces the one with the same id; and its schedules (schedule-store.ts). */
  | { kind: 'put_sink'; sink: Sink }
  | { kind: 'delete_sink'; sinkId: string };

/** Changes that were planned on one version of the definitions. */
export interface DefinitionEdit {
  /** Unlike that of every other edit. */
  id: string;
  /** The version that the changes were planned on. */
  version: number;
  changes: DefinitionChange[];
  /** Wall time. */
  at: number;
}

export type EditResult =
  /** With the definitions as the edit left them, so that they come into force without a further read that may fail. */
  | { kind: 'changed'; definitions: Definitions }
  /** Nothing is changed: the definitions are no longer of the version that the edit was planned on. */
  | { kind: 'outdated' };

export interface DefinitionStore {
  /** Returns all apps, workflows and sinks that are not deleted, as of one moment. */
  loadDefinitions(): Promise<Definitions>;
  definitionsVersion(): Promise<number>;
  /**
   * Returns one version of a workflow, or its latest if `version` is null.
   * A deleted workflow is found by version only.
   * Null: there is none.
   */
  findWorkflow(appId: string, workflowId: string, version: number | null): Promise<WorkflowRecord | null>;
  /** Returns the newest versions below `before`, newest first; those of a deleted workflow too. Empty: there is none. */
  listVersions(appId: string, workflowId: string, page: { before: number; limit: number }): Promise<VersionSummary[]>;
  /**
   * Applies all changes in order, or none.
   * The same call again has the same result, as long as no other edit followed.
   * Rejects with `conflict`, `invalid` or `not_found`, which name the first change that cannot be applied.
   */
  changeDefinitions(edit: DefinitionEdit): Promise<EditResult>;
}
