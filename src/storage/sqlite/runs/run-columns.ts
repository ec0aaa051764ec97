// A new run on its way to the writer thread: one flat list of plain values, in the order in which SQL takes them.
// Copying an object of objects between threads costs more than everything else that the thread does for a run.

import { parseJson, stringifyJson } from '../../../core/json/json.ts';
import { isTerminal } from '../../../core/run/run.ts';
import type { MemoryUse, NewRun, StepRecord } from '../../run-records.ts';
import { type PackedDelivery, packDelivery } from '../deliveries/delivery-columns.ts';
import { packEvents } from './run-rows.ts';
import { type PackedStep, packStep } from './turn-columns.ts';

export type PackedRun = [
  runId: string,
  sinkId: string,
  createdAt: number,
  /** Steps that have not ended, which get rows of their own; null when there are none. */
  openSteps: PackedStep[] | null,
  blobs: string[] | null,
  idempotency: NewRun['idempotency'],
  deliveries: PackedDelivery[] | null,
  memory: MemoryUse[] | null,
  /** Columns of `runs` from workflow_id on. */
  ...columns: (string | number | null | Uint8Array)[],
];

export function packRun(run: NewRun): PackedRun {
  const { workflow, change, createdAt } = run;
  const hasOpen = change.steps.some(({ finishedAt }) => finishedAt === null);
  return [
    run.runId,
    run.sinkId,
    createdAt,
    hasOpen ? change.steps.filter(({ finishedAt }) => finishedAt === null).map(packStep) : null,
    run.blobs.length === 0 ? null : run.blobs,
    run.idempotency,
    change.deliveries.length === 0 ? null : change.deliveries.map(packDelivery),
    change.memory.length === 0 ? null : change.memory,
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
    withoutSurroundings(run.body),
    run.inputs,
    packEvents(change.events),
    packSteps(change.steps),
    change.output,
    change.error === null ? null : JSON.stringify(change.error),
  ];
}

/** A view into a larger buffer would be copied to the other thread with all that surrounds it. */
function withoutSurroundings(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
}

/** The steps that have ended, null for none. JSON by hand: names and types hold nothing to escape, outputs are JSON already. */
function packSteps(steps: readonly StepRecord[]): string | null {
  let text = '';
  for (const record of steps) {
    const { step, type, status, attempt, outputs, startedAt, finishedAt } = record;
    if (finishedAt === null) continue;
    text += `${text === '' ? '[' : ','}["${step}","${type}","${status}",${attempt},${startedAt},${finishedAt},${outputs}${packRest(record)}]`;
  }
  return text === '' ? null : `${text}]`;
}

/** What most steps have none of. */
function packRest({ chosen, error, visit, backTo }: StepRecord): string {
  if (visit > 1) return `,${JSON.stringify(chosen)},${JSON.stringify(error)},${visit},${JSON.stringify(backTo)}`;
  return chosen === null && error === null ? '' : `,${JSON.stringify(chosen)},${JSON.stringify(error)}`;
}

type StepTuple = [
  step: string,
  type: string,
  status: StepRecord['status'],
  attempt: number,
  startedAt: number | null,
  finishedAt: number | null,
  outputs: unknown,
  chosen?: StepRecord['chosen'],
  error?: StepRecord['error'],
  visit?: number,
  backTo?: StepRecord['backTo'],
];

/** The steps, by name and visit, that `first_steps` holds. */
export function unpackVisits(text: string | null): { step: string; visit: number }[] {
  return text === null ? [] : (JSON.parse(text) as StepTuple[]).map((tuple) => ({ step: tuple[0], visit: tuple[9] ?? 1 }));
}

/** The steps that `first_steps` holds. */
export function unpackSteps(text: string | null): StepRecord[] {
  if (text === null) return [];
  return (parseJson(text) as StepTuple[]).map(
    ([step, type, status, attempt, startedAt, finishedAt, outputs, chosen = null, error = null, visit = 1, backTo = null]) => ({
      step,
      type,
      visit,
      status,
      attempt,
      outputs: outputs === null ? null : stringifyJson(outputs),
      chosen,
      error,
      startedAt,
      finishedAt,
      dueAt: null,
      backTo,
    }),
  );
}
