// Creates, advances and cancels runs in SQLite. Each method runs inside the transaction of its batch.

import type { Database } from 'better-sqlite3';
import { isTerminal, type RunStatus } from '../../../core/run/run.ts';
import { CANCELLED, type RunEvent } from '../../../core/run/run-event.ts';
import { parseRunId } from '../../../core/run/run-id.ts';
import type { CreateRunResult, Lease } from '../../run-records.ts';
import { createDeliveryInserter, type InsertDeliveries } from '../deliveries/insert-deliveries.ts';
import type { OverflowGroups } from '../deliveries/overflow.ts';
import type { Packed } from '../table.ts';
import { createIdempotencyKeys, type IdempotencyKeys } from './idempotency-keys.ts';
import { FIRST_EPOCH, runBlobs, runEvents, runs } from './run-columns.ts';
import type { RunEndings } from './run-endings.ts';
import type { ReadResults } from './run-results.ts';
import { keyOf } from './run-rows.ts';
import { createMemoryWriter, type MemoryWriter } from './step-memory.ts';
import { turns } from './turn-columns.ts';
import { createStepWriter, type StepWriter } from './write-steps.ts';

/** One object for all runs: results are copied to the other thread, each object of a batch once. */
const CREATED: CreateRunResult = { kind: 'created', epoch: FIRST_EPOCH };

/** Operations that both the writer and the claims of runs use. */
export interface RunParts {
  overflows: OverflowGroups;
  endings: RunEndings;
  resultsOf: ReadResults;
}

/** The numbers of a run's sink and app. */
interface Owner {
  sinkNo: number;
  appNo: number;
}

export class RunWriter {
  readonly #sql: ReturnType<typeof prepareStatements>;
  readonly #insertDeliveries: InsertDeliveries;
  readonly #keys: IdempotencyKeys;
  readonly #steps: StepWriter;
  readonly #memory: MemoryWriter;
  readonly #endings: RunEndings;
  readonly #resultsOf: ReadResults;
  /** Needs no invalidation: the numbers of a sink and its app never change. */
  readonly #ownersBySink = new Map<string, Owner>();

  constructor(database: Database, { overflows, endings, resultsOf }: RunParts) {
    this.#sql = prepareStatements(database);
    this.#insertDeliveries = createDeliveryInserter(database, overflows);
    this.#keys = createIdempotencyKeys(database);
    this.#steps = createStepWriter(database);
    this.#memory = createMemoryWriter(database);
    this.#endings = endings;
    this.#resultsOf = resultsOf;
  }

  createRun(...run: Packed<typeof runs>): CreateRunResult {
    const { runNumber, nonce } = keyOf(runs.read(run, 'runId'));
    const createdAt = runs.read(run, 'created_at');
    const owner = this.#ownerOf(runs.read(run, 'sinkId'));
    const { sinkNo } = owner;
    const idempotency = runs.read(run, 'idempotency');
    const uses = runs.read(run, 'memory');
    const duplicate = idempotency === null ? null : this.#keys.findDuplicate(sinkNo, idempotency, createdAt);
    if (duplicate !== null) return duplicate;
    if (uses !== null && !this.#memory.isCurrent(sinkNo, uses)) return { kind: 'memory_changed' };
    const inserted = this.#sql.insertRun({ id: runNumber, nonce, app_no: owner.appNo, sink_no: sinkNo }, run);
    if (inserted.changes === 0) return { kind: 'id_taken' };
    if (idempotency !== null) this.#keys.store(sinkNo, idempotency, runNumber);
    const openSteps = runs.read(run, 'openSteps');
    if (openSteps !== null) this.#steps.store(runNumber, openSteps);
    for (const sha256 of runs.read(run, 'blobs') ?? []) this.#sql.insertBlob({ run_id: runNumber, sha256 });
    const deliveries = runs.read(run, 'deliveries');
    if (deliveries !== null) this.#insertDeliveries(runNumber, owner, deliveries);
    if (uses !== null) this.#memory.write(sinkNo, uses, createdAt);
    return CREATED;
  }

  advanceRun({ runId, epoch }: Lease, turn: Packed<typeof turns>): boolean {
    const { runNumber } = keyOf(runId);
    const steps = turns.read(turn, 'steps');
    if (this.#steps.hasEnded(runNumber, steps)) return false;
    if (!this.#storeDeliveriesAndMemory(runNumber, epoch, turn)) return false;
    const at = turns.read(turn, 'at');
    const status = turns.read(turn, 'status');
    const isEnd = turns.read(turn, 'finished_at') === null ? 0 : 1;
    const isRunning = status === 'running' ? 1 : 0;
    if (this.#sql.updateRun.run(...turns.assigned(turn), isEnd, isRunning, runNumber, epoch).changes === 0) return false;
    const seq = turns.read(turn, 'firstSeq');
    if (seq > 0) this.#sql.insertEvents({ run_id: runNumber, seq, data: turns.read(turn, 'events') });
    this.#steps.store(runNumber, steps);
    if (isEnd === 1) this.#endings.cancelDeliveries(runNumber, at);
    // A delivery may have ended while this turn was planned.
    if (status === 'waiting' && this.#resultsOf(runNumber).length > 0) this.#sql.wakeRun.run(at, runNumber);
    return true;
  }

  cancelRun(runId: string, now: number): { cancelled: boolean; events: RunEvent[] } | null {
    const key = parseRunId(runId);
    const run = key && (this.#sql.selectForCancel.get(key.runNumber, key.nonce) as { status: RunStatus; lastSeq: number } | undefined);
    if (!run) return null;
    if (isTerminal(run.status)) return { cancelled: false, events: [] };
    this.#endings.endRun(key.runNumber, run.lastSeq, { status: 'cancelled', error: CANCELLED, now });
    return { cancelled: true, events: [{ seq: run.lastSeq + 1, outcome: { status: 'cancelled', output: null, error: CANCELLED } }] };
  }

  #ownerOf(sinkId: string): Owner {
    const known = this.#ownersBySink.get(sinkId) ?? (this.#sql.selectOwnerOfSink.get(sinkId) as Owner | undefined);
    if (known === undefined) throw new Error(`there is no sink "${sinkId}"; a run must name a stored sink`);
    this.#ownersBySink.set(sinkId, known);
    return known;
  }

  /** Returns false, and releases the run, if the memory that the turn read has changed. A stale lease stores nothing. */
  #storeDeliveriesAndMemory(runNumber: number, epoch: number, turn: Packed<typeof turns>): boolean {
    const at = turns.read(turn, 'at');
    const deliveries = turns.read(turn, 'deliveries');
    const uses = turns.read(turn, 'memory');
    if (deliveries === null && uses === null) return true;
    const owner = this.#sql.selectOwnerOfRun.get(runNumber) as Owner;
    if (this.#sql.isLeaseCurrent.get(runNumber, epoch) === 0) return true;
    if (uses !== null && !this.#memory.isCurrent(owner.sinkNo, uses)) {
      this.#sql.releaseRun.run(at, runNumber);
      return false;
    }
    if (deliveries !== null) this.#insertDeliveries(runNumber, owner, deliveries);
    if (uses !== null) this.#memory.write(owner.sinkNo, uses, at);
    return true;
  }
}

function prepareStatements(database: Database) {
  return {
    insertRun: runs.insert(database, 'ON CONFLICT (id) DO NOTHING'),
    insertBlob: runBlobs.insert(database, 'ON CONFLICT DO NOTHING'),
    insertEvents: runEvents.insert(database),
    updateRun: database.prepare(
      `UPDATE runs SET ${turns.assignments},
         inputs = CASE WHEN ? THEN NULL ELSE inputs END, deaths = CASE WHEN ? THEN deaths ELSE 0 END
       WHERE id = ? AND epoch = ? AND status IN ('running', 'waiting')`,
    ),
    wakeRun: database.prepare('UPDATE runs SET wake_at = ? WHERE id = ?'),
    releaseRun: database.prepare("UPDATE runs SET status = 'queued', wake_at = ?, epoch = epoch + 1 WHERE id = ?"),
    isLeaseCurrent: database
      .prepare("SELECT EXISTS (SELECT 1 FROM runs WHERE id = ? AND epoch = ? AND status IN ('running', 'waiting'))")
      .pluck(),
    selectOwnerOfSink: database.prepare('SELECT no AS sinkNo, app_no AS appNo FROM sinks WHERE id = ?'),
    selectOwnerOfRun: database.prepare('SELECT sink_no AS sinkNo, app_no AS appNo FROM runs WHERE id = ?'),
    selectForCancel: database.prepare('SELECT status, last_seq AS lastSeq FROM runs WHERE id = ? AND nonce = ?'),
  };
}
