// Runs in SQLite: what makes, advances and cancels them. Each function runs inside the transaction of its batch.

import type { Database } from 'better-sqlite3';
import { isTerminal, type RunStatus } from '../../../core/run/run.ts';
import { CANCELLED, type RunEvent } from '../../../core/run/run-event.ts';
import { parseRunId } from '../../../core/run/run-id.ts';
import type { CreateRunResult, Lease, StepRecord } from '../../run-records.ts';
import type { OverflowOperations } from '../deliveries/overflow.ts';
import { createDeliveryWriter } from '../deliveries/write-deliveries.ts';
import type { Packed } from '../table.ts';
import { FIRST_EPOCH, idempotencyKeys, runBlobs, runEvents, runs, unpackSteps, unpackVisits } from './run-columns.ts';
import type { RunEndings } from './run-endings.ts';
import type { ReadResults } from './run-results.ts';
import { keyOf, type StepRow, toRunId, toStep } from './run-rows.ts';
import { stepRecords } from './step-columns.ts';
import { createMemoryOperations } from './step-memory.ts';
import { turns } from './turn-columns.ts';

/** One object for all: a batch of results is copied to the other thread with each object once. */
const CREATED: CreateRunResult = { kind: 'created', epoch: FIRST_EPOCH };

/** What claims of runs use as well. */
export interface RunParts {
  overflows: OverflowOperations;
  endings: RunEndings;
  resultsOf: ReadResults;
}

export function createRunOperations(database: Database, { overflows, endings, resultsOf }: RunParts) {
  const selectSink = database.prepare('SELECT no, app_no AS appNo FROM sinks WHERE id = ?');
  const insertRun = runs.insert(database, 'ON CONFLICT (id) DO NOTHING');
  const insertBlob = runBlobs.insert(database, 'ON CONFLICT DO NOTHING');
  const deleteStaleKey = database.prepare(
    'DELETE FROM idempotency_keys WHERE sink_no = ? AND key = ? AND (expires_at <= ? OR NOT EXISTS (SELECT 1 FROM runs WHERE id = run_id))',
  );
  const insertKey = idempotencyKeys.insert(database);
  const selectKey = database.prepare(
    `SELECT fingerprint, runs.id AS run_order, runs.nonce FROM idempotency_keys JOIN runs ON runs.id = run_id WHERE idempotency_keys.sink_no = ? AND key = ?`,
  );
  const updateRun = database.prepare(
    `UPDATE runs SET ${turns.assignments},
       inputs = CASE WHEN ? THEN NULL ELSE inputs END, deaths = CASE WHEN ? THEN deaths ELSE 0 END
     WHERE id = ? AND epoch = ? AND status IN ('running', 'waiting')`,
  );
  const insertEvents = runEvents.insert(database);
  const upsertStep = stepRecords.upsert(database, { key: ['run_id', 'step', 'visit'], keeps: ['type'] });
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
  function hasEndedStep(order: number, steps: readonly Packed<typeof stepRecords>[]): boolean {
    if (steps.length === 0) return false;
    const first = unpackVisits(selectFirstSteps.get(order) as string | null);
    return steps.some((record) => {
      const [name, number] = [stepRecords.read(record, 'step'), stepRecords.read(record, 'visit')];
      return first.some(({ step, visit }) => step === name && visit === number) || isStepEnded.get(order, name, number) === 1;
    });
  }

  /** What a turn brings beside the run itself. False when the memory that it read has changed: it is to be planned anew. */
  function writeBelongings(order: number, epoch: number, turn: Packed<typeof turns>): boolean {
    const at = turns.read(turn, 'at');
    const deliveries = turns.read(turn, 'deliveries');
    const uses = turns.read(turn, 'memory');
    if (deliveries === null && uses === null) return true;
    const owner = selectOwner.get(order) as { appNo: number; no: number };
    if (holdsLease.get(order, epoch) === 0) return true;
    if (uses !== null && !memory.isCurrent(owner.no, uses)) {
      giveBack.run(at, order);
      return false;
    }
    if (deliveries !== null) insertDeliveries(order, owner, deliveries);
    if (uses !== null) memory.write(owner.no, uses, at);
    return true;
  }

  return {
    createRun(...run: Packed<typeof runs>): CreateRunResult {
      const runId = runs.read(run, 'runId');
      const createdAt = runs.read(run, 'created_at');
      const sink = sinkOf(runs.read(run, 'sinkId'));
      const { runNumber: order, nonce } = keyOf(runId);
      const idempotency = runs.read(run, 'idempotency');
      const uses = runs.read(run, 'memory');
      if (idempotency !== null) {
        deleteStaleKey.run(sink.no, idempotency.key, createdAt);
        const earlier = selectKey.get(sink.no, idempotency.key) as { fingerprint: string; run_order: number; nonce: string } | undefined;
        if (earlier !== undefined) {
          return { kind: 'duplicate', runId: toRunId(earlier), sameRequest: earlier.fingerprint === idempotency.fingerprint };
        }
      }
      if (uses !== null && !memory.isCurrent(sink.no, uses)) return { kind: 'memory_changed' };
      if (insertRun({ id: order, nonce, app_no: sink.appNo, sink_no: sink.no }, run).changes === 0) return { kind: 'id_taken' };
      if (idempotency !== null) {
        const { key, fingerprint, expiresAt } = idempotency;
        insertKey({ sink_no: sink.no, key, fingerprint, run_id: order, expires_at: expiresAt });
      }
      for (const record of runs.read(run, 'openSteps') ?? []) upsertStep({ run_id: order }, record);
      for (const sha256 of runs.read(run, 'blobs') ?? []) insertBlob({ run_id: order, sha256 });
      const deliveries = runs.read(run, 'deliveries');
      if (deliveries !== null) insertDeliveries(order, sink, deliveries);
      if (uses !== null) memory.write(sink.no, uses, createdAt);
      return CREATED;
    },

    advanceRun({ runId, epoch }: Lease, turn: Packed<typeof turns>): boolean {
      const { runNumber: order } = keyOf(runId);
      const steps = turns.read(turn, 'steps');
      if (hasEndedStep(order, steps)) return false;
      if (!writeBelongings(order, epoch, turn)) return false;
      const at = turns.read(turn, 'at');
      const status = turns.read(turn, 'status');
      const isEnd = turns.read(turn, 'finished_at') === null ? 0 : 1;
      const isRunning = status === 'running' ? 1 : 0;
      if (updateRun.run(...turns.assigned(turn), isEnd, isRunning, order, epoch).changes === 0) return false;
      const seq = turns.read(turn, 'firstSeq');
      if (seq > 0) insertEvents({ run_id: order, seq, data: turns.read(turn, 'events') });
      for (const record of steps) upsertStep({ run_id: order }, record);
      if (isEnd === 1) endings.cancelDeliveries(order, at);
      // A delivery may have ended while this turn was under way.
      if (status === 'waiting' && resultsOf(order).length > 0) wakeNow.run(at, order);
      return true;
    },

    cancelRun(runId: string, now: number): { cancelled: boolean; events: RunEvent[] } | null {
      const key = parseRunId(runId);
      const run = key && (selectForCancel.get(key.runNumber, key.nonce) as { status: RunStatus; lastSeq: number } | undefined);
      if (!run) return null;
      if (isTerminal(run.status)) return { cancelled: false, events: [] };
      endings.endRun(key.runNumber, run.lastSeq, { status: 'cancelled', error: CANCELLED, now });
      return { cancelled: true, events: [{ seq: run.lastSeq + 1, outcome: { status: 'cancelled', output: null, error: CANCELLED } }] };
    },
  };
}

/** Steps that the creating commit ended, and those that later commits wrote. */
export function readSteps(firstSteps: string | null, rows: StepRow[]): StepRecord[] {
  return [...unpackSteps(firstSteps), ...rows.map(toStep)];
}
