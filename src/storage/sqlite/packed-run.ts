// A new run on its way to the writer thread: one flat list of plain values, in the order in which SQL takes them.
// Copying an object of objects between threads costs more than everything else that the thread does for a run.

import { isTerminal } from '../../core/run.ts';
import type { NewRun, StepRecord } from '../storage.ts';
import { joinEvents } from './rows.ts';

export type PackedRun = [
  runId: string,
  sinkId: string,
  createdAt: number,
  /** Steps that have not ended, which get rows of their own; null when there are none. */
  openSteps: StepRecord[] | null,
  blobs: string[] | null,
  idempotency: NewRun['idempotency'],
  /** Columns of `runs` from workflow_id on. */
  ...columns: (string | number | null | Uint8Array)[],
];

export function packRun(run: NewRun): PackedRun {
  const { workflow, change, createdAt } = run;
  const ended = change.steps.filter(({ finishedAt }) => finishedAt !== null);
  const open = ended.length === change.steps.length ? null : change.steps.filter(({ finishedAt }) => finishedAt === null);
  return [
    run.runId,
    run.sinkId,
    createdAt,
    open,
    run.blobs.length === 0 ? null : run.blobs,
    run.idempotency,
    workflow === null ? null : workflow.id,
    workflow === null ? null : workflow.version,
    change.status,
    change.progress,
    createdAt,
    isTerminal(change.status) ? change.at : null,
    change.wakeAt,
    change.lastSeq,
    run.request,
    run.bodyKind,
    run.bodyCharset,
    run.body,
    run.inputs,
    joinEvents(change.events),
    ended.length === 0 ? null : packSteps(ended),
    change.output,
    change.error === null ? null : JSON.stringify(change.error),
  ];
}

type StepTuple = [
  string,
  string,
  StepRecord['status'],
  number,
  string | null,
  number | null,
  number | null,
  StepRecord['chosen'],
  StepRecord['error'],
];

function packSteps(steps: readonly StepRecord[]): string {
  const tuples = steps.map(
    ({ step, type, status, attempt, outputs, startedAt, finishedAt, chosen, error }): StepTuple => [
      step,
      type,
      status,
      attempt,
      outputs,
      startedAt,
      finishedAt,
      chosen,
      error,
    ],
  );
  return JSON.stringify(tuples);
}

/** The steps that `first_steps` holds. */
export function unpackSteps(text: string | null): StepRecord[] {
  if (text === null) return [];
  return (JSON.parse(text) as StepTuple[]).map(([step, type, status, attempt, outputs, startedAt, finishedAt, chosen, error]) => ({
    step,
    type,
    status,
    attempt,
    outputs,
    startedAt,
    finishedAt,
    chosen,
    error,
    dueAt: null,
  }));
}
