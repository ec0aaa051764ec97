// A new run on its way to the writer thread: one flat list of plain values, in the order in which SQL takes them.
// Copying an object of objects between threads costs more than everything else that the thread does for a run.

import { parseJson, stringifyJson } from '../../core/json.ts';
import { isTerminal } from '../../core/run.ts';
import type { MemoryUse, NewRun, StepRecord } from '../storage.ts';
import { type PackedStep, packStep } from './packed-change.ts';
import { type PackedDelivery, packDelivery } from './packed-delivery.ts';
import { packEvents } from './rows.ts';

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
  for (const { step, type, status, attempt, outputs, startedAt, finishedAt, chosen, error } of steps) {
    if (finishedAt === null) continue;
    const rest = chosen === null && error === null ? '' : `,${JSON.stringify(chosen)},${JSON.stringify(error)}`;
    text += `${text === '' ? '[' : ','}["${step}","${type}","${status}",${attempt},${startedAt},${finishedAt},${outputs}${rest}]`;
  }
  return text === '' ? null : `${text}]`;
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
];

/** Names of the steps that `first_steps` holds. */
export function unpackStepNames(text: string | null): string[] {
  return text === null ? [] : (JSON.parse(text) as StepTuple[]).map(([step]) => step);
}

/** The steps that `first_steps` holds. */
export function unpackSteps(text: string | null): StepRecord[] {
  if (text === null) return [];
  return (parseJson(text) as StepTuple[]).map(
    ([step, type, status, attempt, startedAt, finishedAt, outputs, chosen = null, error = null]) => ({
      step,
      type,
      status,
      attempt,
      outputs: outputs === null ? null : stringifyJson(outputs),
      chosen,
      error,
      startedAt,
      finishedAt,
      dueAt: null,
    }),
  );
}
