// Runs in SQLite: what makes, advances and cancels them. Each function runs inside the transaction of its batch.

import type { Database } from 'better-sqlite3';
import { isTerminal, type RunStatus } from '../../../core/run/run.ts';
import { CANCELLED, type RunEvent } from '../../../core/run/run-event.ts';
import { parseRunId } from '../../../core/run/run-id.ts';
import type { CreateRunResult, Lease, MemoryUse, StepRecord } from '../../run-records.ts';
import type { PackedDelivery } from '../deliveries/delivery-columns.ts';
import type { OverflowOperations } from '../deliveries/overflow.ts';
import { createDeliveryWriter } from '../deliveries/write-deliveries.ts';
import { type PackedRun, unpackSteps, unpackVisits } from './run-columns.ts';
import type { RunEndings } from './run-endings.ts';
import type { ReadResults } from './run-results.ts';
import { keyOf, type StepRow, toRunId, toStep } from './run-rows.ts';
import { createMemoryOperations } from './step-memory.ts';
import type { PackedChange, PackedStep } from './turn-columns.ts';

/** What claims of runs use as well. */
export interface RunParts {
  overflows: OverflowOperations;
  endings: RunEndings;
  resultsOf: ReadResults;
}

interface Turn {
  order: number;
  epoch: number;
  at: number;
}

export function createRunOperations(database: Database, { overflows, endings, resultsOf }: RunParts) {
  const selectSink = database.prepare('SELECT no, app_no AS appNo FROM sinks WHERE id = ?');
  const insertRun = database.prepare(
    `INSERT INTO runs (id, nonce, app_no, sink_no, workflow_id, workflow_version, status, progress, created_at, finished_at, wake_at,
       epoch, last_seq, request, body_kind, body_charset, body, inputs, first_events, first_steps, output, error)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
  );
  const insertBlob = database.prepare('INSERT OR IGNORE INTO run_blobs VALUES (?, ?)');
  const deleteStaleKey = database.prepare(
    'DELETE FROM idempotency_keys WHERE sink_no = ? AND key = ? AND (expires_at <= ? OR NOT EXISTS (SELECT 1 FROM runs WHERE id = run_id))',
  );
  const insertKey = database.prepare('INSERT INTO idempotency_keys VALUES (?, ?, ?, ?, ?)');
  const selectKey = database.prepare(
    `SELECT fingerprint, runs.id AS run_order, runs.nonce FROM idempotency_keys JOIN runs ON runs.id = run_id WHERE idempotency_keys.sink_no = ? AND key = ?`,
  );
  const updateRun = database.prepare(
    `UPDATE runs SET status = ?, progress = ?, finished_at = ?, wake_at = ?, last_seq = ?, output = ?, error = ?,
       inputs = CASE WHEN ? THEN NULL ELSE inputs END, deaths = CASE WHEN ? THEN deaths ELSE 0 END
     WHERE id = ? AND epoch = ? AND status IN ('running', 'waiting')`,
  );
  const insertEvents = database.prepare('INSERT INTO run_events VALUES (?, ?, ?)');
  const upsertStep = database.prepare(
    `INSERT INTO step_records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (run_id, step, visit) DO UPDATE SET status = excluded.status, attempt = excluded.attempt, outputs = excluded.outputs,
       chosen = excluded.chosen, error = excluded.error, started_at = excluded.started_at, finished_at = excluded.finished_at,
       due_at = excluded.due_at, back_to = excluded.back_to`,
  );
  const selectFirstSteps = database.prepare('SELECT first_steps FROM runs WHERE id = ?').pluck();
  const isStepEnded = database
    .prepare(
      "SELECT EXISTS (SELECT 1 FROM step_records WHERE run_id = ? AND step = ? AND visit = ? AND status IN ('completed', 'skipped', 'failed'))",
    )
    .pluck();
  const insertDeliveries = createDeliveryWriter(database, overflows);
  const memory = createMemoryOperations(database);
  const selectOwner = database.prepare('SELECT app_no AS appNo, sink_no AS no FROM runs WHERE id = ?');
  const giveBack = database.prepare("UPDATE runs SET status = 'queued', wake_at = ?, epoch = epoch + 1 WHERE id = ?");
  const holdsLease = database
    .prepare("SELECT EXISTS (SELECT 1 FROM runs WHERE id = ? AND epoch = ? AND status IN ('running', 'waiting'))")
    .pluck();
  const wakeNow = database.prepare('UPDATE runs SET wake_at = ? WHERE id = ?');
  const selectForCancel = database.prepare('SELECT status, last_seq AS lastSeq FROM runs WHERE id = ? AND nonce = ?');

  /** Sinks never change their number or app, so what was read once holds. */
  const knownSinks = new Map<string, { no: number; appNo: number }>();
  function sinkOf(sinkId: string): { no: number; appNo: number } {
    const known = knownSinks.get(sinkId) ?? (selectSink.get(sinkId) as { no: number; appNo: number } | undefined);
    if (known === undefined) throw new Error(`sink ${sinkId} is not stored`);
    knownSinks.set(sinkId, known);
    return known;
  }

  /** What has ended is never written again. */
  function hasEndedStep(order: number, steps: readonly PackedStep[]): boolean {
    if (steps.length === 0) return false;
    const first = unpackVisits(selectFirstSteps.get(order) as string | null);
    return steps.some(
      ([step, visit]) => first.some((ended) => ended.step === step && ended.visit === visit) || isStepEnded.get(order, step, visit) === 1,
    );
  }

  /** What a turn brings beside the run itself. False when the memory that it read has changed: it is to be planned anew. */
  function writeBelongings({ order, epoch, at }: Turn, deliveries: PackedDelivery[] | null, uses: MemoryUse[] | null): boolean {
    if (deliveries === null && uses === null) return true;
    const owner = selectOwner.get(order) as { appNo: number; no: number };
    if (holdsLease.get(order, epoch) === 0) return true;
    if (uses !== null && !memory.isCurrent(owner.no, uses)) {
      giveBack.run(at, order);
      return false;
    }
    if (deliveries !== null) insertDeliveries(order, owner, deliveries, at);
    if (uses !== null) memory.write(owner.no, uses, at);
    return true;
  }

  return {
    createRun(...[runId, sinkId, createdAt, openSteps, blobs, idempotency, deliveries, uses, ...columns]: PackedRun): CreateRunResult {
      const sink = sinkOf(sinkId);
      const { order, nonce } = keyOf(runId);
      if (idempotency !== null) {
        deleteStaleKey.run(sink.no, idempotency.key, createdAt);
        const earlier = selectKey.get(sink.no, idempotency.key) as { fingerprint: string; run_order: number; nonce: string } | undefined;
        if (earlier !== undefined) {
          return { kind: 'duplicate', runId: toRunId(earlier), sameRequest: earlier.fingerprint === idempotency.fingerprint };
        }
      }
      if (uses !== null && !memory.isCurrent(sink.no, uses)) return { kind: 'memory_changed' };
      if (insertRun.run(order, nonce, sink.appNo, sink.no, ...columns).changes === 0) return { kind: 'id_taken' };
      if (idempotency !== null) insertKey.run(sink.no, idempotency.key, idempotency.fingerprint, order, idempotency.expiresAt);
      for (const step of openSteps ?? []) upsertStep.run(order, ...step);
      for (const hash of blobs ?? []) insertBlob.run(order, hash);
      if (deliveries !== null) insertDeliveries(order, sink, deliveries, createdAt);
      if (uses !== null) memory.write(sink.no, uses, createdAt);
      return { kind: 'created', epoch: 1 };
    },

    advanceRun({ runId, epoch }: Lease, change: PackedChange): boolean {
      const { order } = keyOf(runId);
      const [at, status, progress, finishedAt, wakeAt, lastSeq, output, error, firstSeq, events, steps, deliveries, uses] = change;
      if (hasEndedStep(order, steps)) return false;
      if (!writeBelongings({ order, epoch, at }, deliveries, uses)) return false;
      const isEnd = finishedAt === null ? 0 : 1;
      const isRunning = status === 'running' ? 1 : 0;
      const updated = updateRun.run(status, progress, finishedAt, wakeAt, lastSeq, output, error, isEnd, isRunning, order, epoch);
      if (updated.changes === 0) return false;
      if (firstSeq > 0) insertEvents.run(order, firstSeq, events);
      for (const step of steps) upsertStep.run(order, ...step);
      if (isEnd === 1) endings.cancelDeliveries(order, at);
      // A delivery may have ended while this turn was under way.
      if (status === 'waiting' && resultsOf(order).length > 0) wakeNow.run(at, order);
      return true;
    },

    cancelRun(runId: string, now: number): { cancelled: boolean; events: RunEvent[] } | null {
      const key = parseRunId(runId);
      const run = key && (selectForCancel.get(key.order, key.nonce) as { status: RunStatus; lastSeq: number } | undefined);
      if (!run) return null;
      if (isTerminal(run.status)) return { cancelled: false, events: [] };
      endings.endRun(key.order, run.lastSeq, { status: 'cancelled', error: CANCELLED, now });
      return { cancelled: true, events: [{ seq: run.lastSeq + 1, outcome: { status: 'cancelled', output: null, error: CANCELLED } }] };
    },
  };
}

/** Steps that the creating commit ended, and those that later commits wrote. */
export function readSteps(firstSteps: string | null, rows: StepRow[]): StepRecord[] {
  return [...unpackSteps(firstSteps), ...rows.map(toStep)];
}
