// Rows of runs and steps as SQL returns them, and their conversion to records. Rows never leave storage.

import type { Replay } from '../../../core/run/replay.ts';
import type { RunError } from '../../../core/run/run.ts';
import { joinRunId, parseRunId, type RunKey } from '../../../core/run/run-id.ts';
import type { RunSummary } from '../../runs/run-queries.ts';
import type { StepRecord } from '../../runs/run-records.ts';
import type { Row } from '../table.ts';
import { type runs, unpackSteps } from './run-columns.ts';
import type { stepRecords } from './step-columns.ts';

/** The columns of a summary, with the ids of the run's app and sink. */
export const SUMMARY_COLUMNS = `runs.id AS run_number, runs.nonce, apps.id AS app_id, sinks.id AS sink_id, runs.workflow_id,
  runs.workflow_version, runs.replay, runs.status, runs.progress, runs.error, runs.created_at, runs.finished_at`;
export const RUN_TABLES = 'runs JOIN apps ON apps.no = runs.app_no JOIN sinks ON sinks.no = runs.sink_no';

export type SummaryRow = Pick<
  Row<typeof runs>,
  'nonce' | 'workflow_id' | 'workflow_version' | 'replay' | 'status' | 'progress' | 'error' | 'created_at' | 'finished_at'
> & { run_number: number; app_id: string; sink_id: string };

export function toRunSummary(row: SummaryRow): RunSummary {
  return {
    id: toRunId(row),
    appId: row.app_id,
    sinkId: row.sink_id,
    workflow: toWorkflowReference(row),
    replay: toReplay(row.replay),
    status: row.status,
    progress: row.progress,
    error: toError(row.error),
    createdAt: row.created_at,
    finishedAt: row.finished_at,
  };
}

export type RunRow = SummaryRow & Row<typeof runs>;

export function toRunId(row: { run_number: number; nonce: string }): string {
  return joinRunId({ runNumber: row.run_number, nonce: row.nonce });
}

export function toWorkflowReference(row: Pick<SummaryRow, 'workflow_id' | 'workflow_version'>): RunSummary['workflow'] {
  return row.workflow_id === null ? null : { id: row.workflow_id, version: row.workflow_version ?? 0 };
}

export function toReplay(text: string | null): Replay | null {
  return text === null ? null : (JSON.parse(text) as Replay);
}

export function toError(text: string | null): RunError | null {
  return text === null ? null : (JSON.parse(text) as RunError);
}

/** Returns the run number and the nonce of an id. Throws a plain error for an invalid id, which is a bug of the caller. */
export function keyOf(runId: string): RunKey {
  const key = parseRunId(runId);
  if (key === null) throw new Error(`"${runId}" is not a run id`);
  return key;
}

export type StepRow = Row<typeof stepRecords>;

/** Returns the steps that the creating commit ended, then those that have rows of their own. */
export function readSteps(firstSteps: string | null, rows: StepRow[]): StepRecord[] {
  return [...unpackSteps(firstSteps), ...rows.map(toStep)];
}

function toStep(row: StepRow): StepRecord {
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
    awaits: row.awaits,
  };
}
