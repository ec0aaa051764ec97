// Wire types of apps and workflows: their versions, what differs between them, their graphs and their faults.

import type { ManagedBy, Time } from './wire-types.ts';

export interface AppInfo {
  id: string;
  name: string | null;
  managed_by: ManagedBy;
  created_at: Time;
}

export interface WorkflowInfo {
  id: string;
  app_id: string;
  version: number;
  managed_by: ManagedBy;
  created_at: Time;
}

export interface WorkflowWithDefinition extends WorkflowInfo {
  definition: unknown;
}

export interface VersionInfo {
  version: number;
  created_at: Time;
  is_current: boolean;
}

export interface ListDiff {
  added: string[];
  removed: string[];
  /** JSON Pointers within the element. */
  changed: { name: string; paths: string[] }[];
  reordered: boolean;
}

export interface VersionDiff {
  from: number;
  to: number;
  inputs: ListDiff;
  steps: ListDiff;
  outputs: ListDiff;
  /** Copies of the workflows that it uses. */
  used_workflows: ListDiff;
  /** JSON Pointers to other fields of the definition. */
  others: string[];
}

export interface StepGraph {
  nodes: { name: string; type: string; items?: StepGraph }[];
  /** `back`: the edge closes a loop. */
  edges: { from: string; to: string; why: 'data' | 'next' | 'success' | 'failure'; back: boolean }[];
}

export interface CheckResult {
  valid: boolean;
  /** `pointer` is a JSON Pointer into the checked document. */
  faults: { path: string; pointer: string; message: string; hint?: string }[];
}

export interface StepTypeInfo {
  type: string;
  aliases: string[];
  summary: string;
  /** JSON Schema of a step's manifest. */
  manifest: object;
  /** Null when they depend on the manifest. */
  outputs: string[] | null;
}
