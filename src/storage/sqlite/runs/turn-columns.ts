// A turn of a run on its way to the writer thread: one flat list, with what SQL keeps as JSON written already.

import { isTerminal } from '../../../core/run/run.ts';
import type { MemoryUse, RunChange, StepRecord } from '../../run-records.ts';
import { type PackedDelivery, packDelivery } from '../deliveries/delivery-columns.ts';
import { packEvents } from './run-rows.ts';

export type PackedChange = [
  at: number,
  status: RunChange['status'],
  progress: number,
  finishedAt: number | null,
  wakeAt: number | null,
  lastSeq: number,
  output: string | null,
  error: string | null,
  /** Seq of the first event; 0 where there is none. */
  firstSeq: number,
  events: string,
  steps: PackedStep[],
  deliveries: PackedDelivery[] | null,
  memory: MemoryUse[] | null,
];

/** Columns of step_records from `step` on. */
export type PackedStep = [
  step: string,
  visit: number,
  type: string,
  status: string,
  attempt: number,
  outputs: string | null,
  chosen: string | null,
  error: string | null,
  startedAt: number | null,
  finishedAt: number | null,
  dueAt: number | null,
  backTo: string | null,
];

export function packChange(change: RunChange): PackedChange {
  const { at, status, progress, wakeAt, lastSeq, output, error, events, steps, deliveries, memory } = change;
  return [
    at,
    status,
    progress,
    isTerminal(status) ? at : null,
    wakeAt,
    lastSeq,
    output,
    jsonOf(error),
    events[0]?.seq ?? 0,
    packEvents(events),
    steps.map(packStep),
    deliveries.length === 0 ? null : deliveries.map(packDelivery),
    memory.length === 0 ? null : memory,
  ];
}

export function packStep(record: StepRecord): PackedStep {
  const { step, visit, type, status, attempt, outputs, chosen, error, startedAt, finishedAt, dueAt, backTo } = record;
  return [step, visit, type, status, attempt, outputs, jsonOf(chosen), jsonOf(error), startedAt, finishedAt, dueAt, jsonOf(backTo)];
}

function jsonOf(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value);
}
