// Rows as SQL gives them, and how they become records. Nothing outside storage sees a row.

import type { BodyKind } from '../../../core/run/request.ts';
import type { RunError, RunStatus, StepStatus } from '../../../core/run/run.ts';
import type { ProgressEvent } from '../../../core/run/run-event.ts';
import { joinRunId, parseRunId, type RunKey } from '../../../core/run/run-id.ts';
import type { ManagedBy, Sink } from '../../../core/sink/sink.ts';
import type { WorkflowRecord } from '../../definition-store.ts';
import type { Rejection } from '../../rejection-store.ts';
import type { RunSummary, StepRecord } from '../../run-records.ts';

export interface SinkRow {
  id: string;
  app_id: string;
  method: Sink['method'];
  path: string;
  workflow_id: string | null;
  settings: string;
  managed_by: ManagedBy;
  created_at: number;
  updated_at: number;
}

export function toSink(row: SinkRow): Sink {
  return {
    id: row.id,
    appId: row.app_id,
    method: row.method,
    path: row.path,
    workflowId: row.workflow_id,
    ...toSettings(row.settings),
    managedBy: row.managed_by,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

type Settings = Pick<Sink, 'auth' | 'inputs' | 'response' | 'idempotencyKey' | 'webhookOrigins' | 'limits' | 'body' | 'payload'>;

/** A sink may have been stored before it could say how bodies are read, or who sends. */
function toSettings(text: string): Settings {
  const settings = JSON.parse(text) as Omit<Settings, 'body' | 'payload'> & Partial<Settings>;
  return { ...settings, body: settings.body ?? 'auto', payload: settings.payload ?? null };
}

export interface WorkflowRow {
  id: string;
  app_id: string;
  version: number;
  document: string;
  managed_by: ManagedBy;
  created_at: number;
}

export function toWorkflow(row: WorkflowRow): WorkflowRecord {
  return {
    id: row.id,
    appId: row.app_id,
    version: row.version,
    document: row.document,
    managedBy: row.managed_by,
    createdAt: row.created_at,
  };
}

/** The columns of a run that every reader wants, with the ids of its app and sink. */
export const SUMMARY_COLUMNS = `runs.id AS run_order, runs.nonce, apps.id AS app_id, sinks.id AS sink_id, runs.workflow_id,
  runs.workflow_version, runs.status, runs.progress, runs.error, runs.created_at, runs.finished_at`;
export const RUN_TABLES = 'runs JOIN apps ON apps.no = runs.app_no JOIN sinks ON sinks.no = runs.sink_no';

export interface SummaryRow {
  run_order: number;
  nonce: string;
  app_id: string;
  sink_id: string;
  workflow_id: string | null;
  workflow_version: number | null;
  status: RunStatus;
  progress: number;
  error: string | null;
  created_at: number;
  finished_at: number | null;
}

export function toRunSummary(row: SummaryRow): RunSummary {
  return {
    id: toRunId(row),
    appId: row.app_id,
    sinkId: row.sink_id,
    workflow: toWorkflowReference(row),
    status: row.status,
    progress: row.progress,
    error: toError(row.error),
    createdAt: row.created_at,
    finishedAt: row.finished_at,
  };
}

export interface RunRow extends SummaryRow {
  last_seq: number;
  request: string;
  body_kind: BodyKind;
  body_charset: string;
  body: Uint8Array;
  inputs: string | null;
  output: string | null;
  epoch: number;
  first_events: string;
  first_steps: string | null;
}

export function toRunId(row: { run_order: number; nonce: string }): string {
  return joinRunId({ order: row.run_order, nonce: row.nonce });
}

export function toWorkflowReference(row: {
  workflow_id: string | null;
  workflow_version: number | null;
}): { id: string; version: number } | null {
  return row.workflow_id === null ? null : { id: row.workflow_id, version: row.workflow_version ?? 0 };
}

export function toError(text: string | null): RunError | null {
  return text === null ? null : (JSON.parse(text) as RunError);
}

/** The key of a run that must exist: an id that cannot be one is a bug of the caller. */
export function keyOf(runId: string): RunKey {
  const key = parseRunId(runId);
  if (key === null) throw new Error(`"${runId}" is no run id`);
  return key;
}

export interface StepRow {
  step: string;
  visit: number;
  type: string;
  status: StepStatus;
  attempt: number;
  outputs: string | null;
  chosen: string | null;
  error: string | null;
  started_at: number | null;
  finished_at: number | null;
  due_at: number | null;
  back_to: string | null;
}

export function toStep(row: StepRow): StepRecord {
  return {
    step: row.step,
    type: row.type,
    visit: row.visit,
    status: row.status,
    attempt: row.attempt,
    outputs: row.outputs,
    chosen: row.chosen === null ? null : (JSON.parse(row.chosen) as string[]),
    error: toError(row.error),
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    dueAt: row.due_at,
    backTo: row.back_to === null ? null : (JSON.parse(row.back_to) as string[]),
  };
}

/** The events of one commit, the first of which has a seq of its own: `[[33,"step"],[66]]`. Names hold nothing to escape. */
export function packEvents(events: readonly ProgressEvent[]): string {
  let text = '';
  for (const { progress, step, message } of events) {
    const name = step === null ? 'null' : `"${step}"`;
    const rest = message !== null ? `,${name},${JSON.stringify(message)}` : step !== null ? `,${name}` : '';
    text += `${text === '' ? '[' : ','}[${progress}${rest}]`;
  }
  return text === '' ? '[]' : `${text}]`;
}

export function unpackEvents(firstSeq: number, text: string): ProgressEvent[] {
  const events = JSON.parse(text) as [progress: number, step?: string | null, message?: string][];
  return events.map(([progress, step = null, message = null], index) => ({ seq: firstSeq + index, progress, step, message }));
}

export interface RejectionRow {
  position: number;
  sink_id: string | null;
  app_id: string | null;
  method: string;
  path: string;
  status: number;
  code: string;
  message: string;
  client_ip: string;
  folded: Rejection['folded'];
  count: number;
  first_at: number;
  last_at: number;
}

export function toRejection(row: RejectionRow): Rejection & { position: number } {
  return {
    position: row.position,
    sinkId: row.sink_id,
    appId: row.app_id,
    method: row.method,
    path: row.path,
    status: row.status,
    code: row.code,
    message: row.message,
    clientIp: row.client_ip,
    folded: row.folded,
    count: row.count,
    firstAt: row.first_at,
    lastAt: row.last_at,
  };
}
