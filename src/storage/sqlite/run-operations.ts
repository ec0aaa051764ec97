// Runs in SQLite: every change of a run's state. Each function runs inside the transaction of its batch.

import type { Database } from 'better-sqlite3';
import { isTerminal, type RunStatus } from '../../core/run.ts';
import { CANCELLED, type RunEvent } from '../../core/run-event.ts';
import { parseRunId } from '../../core/run-id.ts';
import type { ClaimedRun, CreateRunResult, Lease, MemoryUse, StepRecord } from '../storage.ts';
import { createDeliveryWriter } from './delivery-operations.ts';
import { createMemoryOperations } from './memory-operations.ts';
import type { OverflowOperations } from './overflow-operations.ts';
import type { PackedChange, PackedStep } from './packed-change.ts';
import { type PackedDelivery, unpackResult } from './packed-delivery.ts';
import { type PackedRun, unpackSteps, unpackVisits } from './packed-run.ts';
import { keyOf, RUN_TABLES, type RunRow, type StepRow, SUMMARY_COLUMNS, toRunId, toStep, toWorkflowReference } from './rows.ts';

interface Turn {
  order: number;
  epoch: number;
  at: number;
}

export function createRunOperations(database: Database, overflows: OverflowOperations) {
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
       inputs = CASE WHEN ? THEN NULL ELSE inputs END
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
  const claimRuns = database.prepare(
    `UPDATE runs SET status = 'running', epoch = epoch + 1, wake_at = ?
     WHERE id IN (SELECT id FROM runs WHERE wake_at <= ? ORDER BY wake_at LIMIT ?) RETURNING id`,
  );
  const selectRun = database.prepare(`SELECT ${SUMMARY_COLUMNS}, runs.* FROM ${RUN_TABLES} WHERE runs.id = ?`);
  const selectSteps = database.prepare('SELECT * FROM step_records WHERE run_id = ?');
  const renewLease = database.prepare("UPDATE runs SET wake_at = ? WHERE id = ? AND epoch = ? AND status = 'running'");
  const releaseRun = database.prepare(
    "UPDATE runs SET status = 'queued', wake_at = ?, epoch = epoch + 1 WHERE id = ? AND epoch = ? AND status = 'running'",
  );
  const recoverRuns = database.prepare(
    "UPDATE runs SET status = 'queued', wake_at = ?, epoch = epoch + 1 WHERE wake_at IS NOT NULL AND status = 'running'",
  );
  const recoverDeliveries = database.prepare(
    "UPDATE deliveries SET status = 'queued', due_at = ?, epoch = epoch + 1 WHERE sink_no IN (SELECT no FROM sinks) AND status = 'sending'",
  );
  const insertDeliveries = createDeliveryWriter(database, overflows);
  const memory = createMemoryOperations(database);
  const selectOwner = database.prepare('SELECT app_no AS appNo, sink_no AS no FROM runs WHERE id = ?');
  const giveBack = database.prepare("UPDATE runs SET status = 'queued', wake_at = ?, epoch = epoch + 1 WHERE id = ?");
  const holdsLease = database
    .prepare("SELECT EXISTS (SELECT 1 FROM runs WHERE id = ? AND epoch = ? AND status IN ('running', 'waiting'))")
    .pluck();
  // Results of awaited deliveries that are over, of steps that still wait for them. One that was dropped may have no attempt.
  const selectResults = database.prepare(
    `SELECT deliveries.step, dropped_reason AS droppedReason, result, delivery_attempts.body FROM deliveries
       JOIN step_records ON step_records.run_id = deliveries.run_id AND step_records.step = deliveries.step AND step_records.visit = deliveries.visit
       LEFT JOIN delivery_attempts ON delivery_no = deliveries.no AND delivery_attempts.attempt = deliveries.attempts
     WHERE deliveries.run_id = ? AND is_awaited = 1 AND deliveries.due_at IS NULL AND (result IS NOT NULL OR deliveries.status = 'dropped')
       AND step_records.status = 'waiting' AND step_records.due_at IS NULL`,
  );
  const wakeNow = database.prepare('UPDATE runs SET wake_at = ? WHERE id = ?');
  const cancelAwaited = database
    .prepare(
      `UPDATE deliveries SET status = 'cancelled', due_at = NULL, finished_at = ?, epoch = epoch + 1
       WHERE run_id = ? AND is_awaited = 1 AND due_at IS NOT NULL
       RETURNING CASE overflow_policy WHEN 'latest_wins' THEN overflow_group END`,
    )
    .pluck();
  const selectNextWake = database.prepare('SELECT min(wake_at) FROM runs WHERE wake_at IS NOT NULL').pluck();
  const selectForCancel = database.prepare('SELECT status, last_seq AS lastSeq FROM runs WHERE id = ? AND nonce = ?');
  const cancelRun = database.prepare(
    "UPDATE runs SET status = 'cancelled', error = ?, finished_at = ?, wake_at = NULL, last_seq = ?, epoch = epoch + 1, inputs = NULL WHERE id = ?",
  );

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

  function claimed(order: number): ClaimedRun {
    const row = selectRun.get(order) as RunRow;
    return {
      lease: { runId: toRunId(row), epoch: row.epoch },
      appId: row.app_id,
      sinkId: row.sink_id,
      workflow: toWorkflowReference(row),
      request: row.request,
      bodyKind: row.body_kind,
      bodyCharset: row.body_charset,
      body: row.body,
      inputs: row.inputs,
      progress: row.progress,
      lastSeq: row.last_seq,
      createdAt: row.created_at,
      steps: lastVisits(readSteps(row.first_steps, selectSteps.all(order) as StepRow[])),
      results: resultsOf(order),
    };
  }

  function resultsOf(order: number): ClaimedRun['results'] {
    const rows = selectResults.all(order) as { step: string; droppedReason: string | null; result: string; body: Uint8Array | null }[];
    return rows.map(({ step, droppedReason, result, body }) => ({
      step,
      result: droppedReason === null ? unpackResult(result, body) : { kind: 'dropped', reason: droppedReason },
    }));
  }

  /** Those that the run waits for. */
  function cancelDeliveries(order: number, now: number): void {
    for (const latestOf of cancelAwaited.all(now, order) as (string | null)[]) if (latestOf !== null) overflows.settle(latestOf, now);
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
      if (updateRun.run(status, progress, finishedAt, wakeAt, lastSeq, output, error, isEnd, order, epoch).changes === 0) return false;
      if (firstSeq > 0) insertEvents.run(order, firstSeq, events);
      for (const step of steps) upsertStep.run(order, ...step);
      if (isEnd === 1) cancelDeliveries(order, at);
      // A delivery may have ended while this turn was under way.
      if (status === 'waiting' && resultsOf(order).length > 0) wakeNow.run(at, order);
      return true;
    },

    claimDueRuns(now: number, leaseUntil: number, limit: number): ClaimedRun[] {
      const orders = claimRuns.all(leaseUntil, now, limit) as { id: number }[];
      return orders.map(({ id }) => claimed(id));
    },

    renewLeases(leases: Lease[], leaseUntil: number): string[] {
      return leases
        .filter(({ runId, epoch }) => renewLease.run(leaseUntil, keyOf(runId).order, epoch).changes === 0)
        .map(({ runId }) => runId);
    },

    releaseRun({ runId, epoch }: Lease, now: number): void {
      releaseRun.run(now, keyOf(runId).order, epoch);
    },

    recoverRuns(now: number): number {
      recoverDeliveries.run(now);
      overflows.settleAll(now);
      return recoverRuns.run(now).changes;
    },

    cancelRun(runId: string, now: number): { cancelled: boolean; events: RunEvent[] } | null {
      const key = parseRunId(runId);
      const run = key && (selectForCancel.get(key.order, key.nonce) as { status: RunStatus; lastSeq: number } | undefined);
      if (!run) return null;
      if (isTerminal(run.status)) return { cancelled: false, events: [] };
      cancelRun.run(JSON.stringify(CANCELLED), now, run.lastSeq + 1, key.order);
      cancelDeliveries(key.order, now);
      return { cancelled: true, events: [{ seq: run.lastSeq + 1, outcome: { status: 'cancelled', output: null, error: CANCELLED } }] };
    },

    nextWake(): number | null {
      return selectNextWake.get() as number | null;
    },
  };
}

/** Steps that the creating commit ended, and those that later commits wrote. */
export function readSteps(firstSteps: string | null, rows: StepRow[]): StepRecord[] {
  return [...unpackSteps(firstSteps), ...rows.map(toStep)];
}

function lastVisits(steps: readonly StepRecord[]): StepRecord[] {
  const last = new Map<string, StepRecord>();
  for (const record of steps) if (record.visit >= (last.get(record.step)?.visit ?? 1)) last.set(record.step, record);
  return [...last.values()];
}
