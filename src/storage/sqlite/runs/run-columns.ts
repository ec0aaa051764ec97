// A new run on its way to the writer thread. It is packed into one flat list, because copying nested objects to another
// thread costs more than storing them.

import { parseJson, stringifyJson } from '../../../core/json/json.ts';
import { FIRST_EPOCH } from '../../../leases/lease.ts';
import type { NewRun, StepRecord } from '../../runs/run-records.ts';
import { packDeliveries } from '../deliveries/delivery-columns.ts';
import { beside, given, type Packed, preset, table } from '../table.ts';
import { packEvents } from './event-columns.ts';
import { jsonOf, stepRecords } from './step-columns.ts';
import { CHANGED_COLUMNS, type StampedTurn } from './turn-columns.ts';

/** A run on its way. Its turn is that of the run, given apart as all turns are. */
export interface StampedRun extends StampedTurn {
  run: NewRun;
}

export const runs = table<StampedRun>('runs').columns({
  now: beside(({ stamp }) => stamp.now),
  runId: beside(({ run: { runId } }) => runId),
  sinkId: beside(({ run: { sinkId } }) => sinkId),
  openSteps: beside(({ turn }) => packOpenSteps(turn.steps)),
  blobs: beside(({ run: { blobs } }) => (blobs.length === 0 ? null : blobs)),
  idempotency: beside(({ run: { idempotency } }) => idempotency),
  deliveries: beside(({ run, turn, stamp }) => packDeliveries(turn.deliveries, run.createdAt, stamp)),
  memory: beside(({ turn }) => (turn.memory.length === 0 ? null : turn.memory)),
  id: given<number>(),
  nonce: given<string>(),
  app_no: given<number>(),
  sink_no: given<number>(),
  workflow_id: ({ run: { workflow } }) => (workflow === null ? null : workflow.id),
  workflow_version: ({ run: { workflow } }) => (workflow === null ? null : workflow.version),
  ...CHANGED_COLUMNS,
  created_at: ({ run: { createdAt } }) => createdAt,
  epoch: () => FIRST_EPOCH,
  request: ({ run: { request } }) => request,
  body_kind: ({ run: { bodyKind } }) => bodyKind,
  body_charset: ({ run: { bodyCharset } }) => bodyCharset,
  body: ({ run: { body } }) => withoutSurroundings(body),
  inputs: ({ run: { inputs } }) => inputs,
  replay: ({ run: { replay } }) => jsonOf(replay),
  first_events: ({ turn }) => packEvents(turn.events),
  first_steps: ({ turn }) => packSteps(turn.steps),
  flow_key: ({ run: { flowKey } }) => flowKey,
  deaths: preset<number>(),
  turns: preset<number>(),
});

export const runEvents = table('run_events').columns({ run_id: given<number>(), seq: given<number>(), data: given<string>() });
export const runBlobs = table('run_blobs').columns({ run_id: given<number>(), sha256: given<string>() });
export const idempotencyKeys = table('idempotency_keys').columns({
  sink_no: given<number>(),
  key: given<string>(),
  fingerprint: given<string>(),
  run_id: given<number>(),
  expires_at: given<number>(),
});

/** Packs the steps that have not ended, which get rows of their own. Returns null if there are none. */
function packOpenSteps(steps: readonly StepRecord[]): Packed<typeof stepRecords>[] | null {
  const hasOpen = steps.some(({ finishedAt }) => finishedAt === null);
  return hasOpen ? steps.filter(({ finishedAt }) => finishedAt === null).map((record) => stepRecords.pack(record)) : null;
}

/** Copies a view into a larger buffer, because the whole buffer would be copied to the other thread. */
function withoutSurroundings(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
}

/**
 * Packs the steps that have ended; null if there are none. The JSON is concatenated: names and types need no escaping, and
 * outputs are JSON already.
 */
function packSteps(steps: readonly StepRecord[]): string | null {
  let text = '';
  for (const record of steps) {
    const { step, type, status, attempt, outputs, startedAt, finishedAt } = record;
    if (finishedAt === null) continue;
    text += `${text === '' ? '[' : ','}["${step}","${type}","${status}",${attempt},${startedAt},${finishedAt},${outputs}${packRest(record)}]`;
  }
  return text === '' ? null : `${text}]`;
}

/** The fields that most steps do not have. */
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

/** Returns the visits of steps in `first_steps`. */
export function unpackVisits(text: string | null): { step: string; visit: number }[] {
  return text === null ? [] : (JSON.parse(text) as StepTuple[]).map((tuple) => ({ step: tuple[0], visit: tuple[9] ?? 1 }));
}

/** Returns the steps in `first_steps`. */
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
      awaits: null,
    }),
  );
}
