// Creates, advances and cancels runs in SQLite. Each method runs inside the transaction of its batch.

import type { Database } from 'better-sqlite3';
import { isTerminal, type RunStatus } from '../../../core/run/run.ts';
import { CANCELLED, type RunEvent } from '../../../core/run/run-event.ts';
import { joinRunId, parseRunId, type RunKey } from '../../../core/run/run-id.ts';
import { type CreateRunResult, type CreateRunsResult, type Idempotency, isStorable, type Lease } from '../../runs/run-records.ts';
import { createDeliveryInserter, type InsertDeliveries } from '../deliveries/insert-deliveries.ts';
import type { OverflowGroups } from '../deliveries/overflow.ts';
import type { Collected } from '../flow/arrival.ts';
import { bytesOf } from '../flow/batches.ts';
import type { FlowControl } from '../flow/flow-control.ts';
import type { Stamp } from '../stamp.ts';
import type { Packed } from '../table.ts';
import { createIdempotencyKeys, type IdempotencyKeys } from './idempotency-keys.ts';
import { createMissesReply, type MissesReply } from './replies.ts';
import { runBlobs, runEvents, runs } from './run-columns.ts';
import type { RunEndings } from './run-endings.ts';
import type { ReadResults } from './run-results.ts';
import { keyOf } from './run-rows.ts';
import { createMemoryWriter, type MemoryWriter } from './step-memory.ts';
import { turns } from './turn-columns.ts';
import { createStepWriter, type StepWriter } from './write-steps.ts';

/** One object for all runs: results are copied to the other thread, each object of a batch once. */
const CREATED: CreateRunResult = { kind: 'created' };

/** Rolls back what a call has written. */
const NOT_STORED = new Error('some runs of the call cannot be stored');

/** Operations that both the writer and the claims of runs use. */
export interface RunParts {
  overflows: OverflowGroups;
  flow: FlowControl;
  endings: RunEndings;
  resultsOf: ReadResults;
}

interface SinkNumbers {
  sinkNo: number;
  appNo: number;
}

/** A run under a current lease. It may have ended under it. */
interface LeasedRun extends SinkNumbers {
  runNumber: number;
  turns: number;
  isOver: 0 | 1;
  hasFlow: 0 | 1;
  firstSteps: string | null;
}

export class RunWriter {
  readonly #sql: ReturnType<typeof prepareStatements>;
  readonly #insertDeliveries: InsertDeliveries;
  readonly #keys: IdempotencyKeys;
  readonly #steps: StepWriter;
  readonly #memory: MemoryWriter;
  readonly #endings: RunEndings;
  readonly #resultsOf: ReadResults;
  readonly #missesReply: MissesReply;
  readonly #flow: FlowControl;
  readonly #allOrNone: (work: () => void) => void;
  /** Needs no invalidation: the numbers of a sink and its app never change. */
  readonly #numbersBySink = new Map<string, SinkNumbers>();

  constructor(database: Database, { overflows, endings, resultsOf, flow }: RunParts) {
    this.#sql = prepareStatements(database);
    this.#insertDeliveries = createDeliveryInserter(database, overflows);
    this.#keys = createIdempotencyKeys(database);
    this.#steps = createStepWriter(database);
    this.#memory = createMemoryWriter(database);
    this.#endings = endings;
    this.#resultsOf = resultsOf;
    this.#missesReply = createMissesReply(database);
    this.#flow = flow;
    this.#allOrNone = database.transaction((work: () => void) => work());
  }

  createRun(...run: Packed<typeof runs>): CreateRunResult {
    return this.#create(run);
  }

  createRuns(packed: readonly Packed<typeof runs>[], key: Idempotency | null): CreateRunsResult {
    const runIds = packed.map((run) => runs.read(run, 'runId'));
    const request = key === null ? undefined : this.#findRequest(packed, key);
    // The answer of an earlier call may have been lost.
    const isRepeated = request !== undefined && request.runIds[0] === runIds[0];
    if (request !== undefined && !isRepeated) return { isStored: false, results: [], earlier: request };
    const results: CreateRunResult[] = [];
    try {
      this.#allOrNone(() => {
        for (const run of packed) {
          const result = this.#create(run);
          results.push(result);
          if (!isStorable(result)) throw NOT_STORED;
        }
        if (key !== null && !isRepeated) this.#storeRequest(packed, key, runIds);
      });
      return { isStored: true, results };
    } catch (error) {
      if (error !== NOT_STORED) throw error;
      return { isStored: false, results };
    }
  }

  #findRequest([first]: readonly Packed<typeof runs>[], key: Idempotency): CreateRunsResult['earlier'] {
    if (first === undefined) return undefined;
    return this.#keys.findRequest(this.#numbersOf(runs.read(first, 'sinkId')).sinkNo, key, runs.read(first, 'now'));
  }

  #storeRequest([first]: readonly Packed<typeof runs>[], key: Idempotency, runIds: readonly string[]): void {
    if (first === undefined) return;
    this.#keys.storeRequest(this.#numbersOf(runs.read(first, 'sinkId')).sinkNo, key, runIds, runs.read(first, 'now'));
  }

  #create(run: Packed<typeof runs>): CreateRunResult {
    const runId = runs.read(run, 'runId');
    const { runNumber, nonce } = keyOf(runId);
    const now = runs.read(run, 'now');
    const sink = this.#numbersOf(runs.read(run, 'sinkId'));
    const { sinkNo } = sink;
    const idempotency = runs.read(run, 'idempotency');
    const uses = runs.read(run, 'memory');
    const duplicate = idempotency === null ? null : this.#keys.findDuplicate(sinkNo, idempotency, now);
    if (runs.read(run, 'flow_key') !== null) return this.#createQueued(run, sink, duplicate);
    if (duplicate !== null) return duplicate.runId === runId ? CREATED : duplicate;
    if (uses !== null && !this.#memory.isCurrent(sinkNo, uses))
      return this.#isStored(runNumber, nonce) ? CREATED : { kind: 'memory_changed' };
    const inserted = this.#sql.insertRun({ id: runNumber, nonce, app_no: sink.appNo, sink_no: sinkNo }, run);
    if (inserted.changes === 0) return this.#isStored(runNumber, nonce) ? CREATED : { kind: 'id_taken' };
    if (idempotency !== null) this.#keys.store(sinkNo, idempotency, runNumber, now);
    const openSteps = runs.read(run, 'openSteps');
    if (openSteps !== null) this.#steps.store(runNumber, openSteps);
    for (const sha256 of runs.read(run, 'blobs') ?? []) this.#sql.insertBlob({ run_id: runNumber, sha256 });
    const deliveries = runs.read(run, 'deliveries');
    if (deliveries !== null) this.#insertDeliveries(runNumber, sink, deliveries);
    if (uses !== null) this.#memory.write(sinkNo, uses, now);
    return CREATED;
  }

  /** Creates a run that flow control starts. Its first turn has no steps, deliveries or memory. */
  #createQueued(run: Packed<typeof runs>, sink: SinkNumbers, duplicate: CreateRunResult | null): CreateRunResult {
    const runId = runs.read(run, 'runId');
    const { runNumber, nonce } = keyOf(runId);
    const now = runs.read(run, 'now');
    const { sinkNo } = sink;
    if (this.#isStored(runNumber, nonce)) return { kind: 'created', flow: this.#flow.recall(runNumber) };
    const isBatch = runs.read(run, 'body_kind') === 'batch' && runs.read(run, 'replay') === null;
    const earlier = isBatch ? this.#flow.batchOf({ runNumber, nonce }) : undefined;
    if (earlier !== undefined) return { kind: 'collected', runId: joinRunId(earlier), flow: this.#flow.recall(earlier.runNumber) };
    if (duplicate !== null) return duplicate;
    const stored = { request: runs.read(run, 'request'), body: runs.read(run, 'body') };
    const key = runs.read(run, 'flow_key') ?? '';
    const arrival = this.#flow.judge({ sinkNo, key, batchBytes: isBatch ? bytesOf(stored) : null, now });
    if (arrival.kind === 'refused') return arrival;
    if (arrival.kind === 'collect') return this.#collect({ runNumber, nonce }, run, arrival, sinkNo);
    const inserted = this.#sql.insertRun({ id: runNumber, nonce, app_no: sink.appNo, sink_no: sinkNo }, run);
    if (inserted.changes === 0) return { kind: 'id_taken' };
    const idempotency = runs.read(run, 'idempotency');
    if (idempotency !== null && arrival.kind !== 'drop' && arrival.kind !== 'skip') this.#keys.store(sinkNo, idempotency, runNumber, now);
    for (const sha256 of runs.read(run, 'blobs') ?? []) this.#sql.insertBlob({ run_id: runNumber, sha256 });
    return { kind: 'created', flow: this.#flow.enter(runNumber, runId, sinkNo, arrival, now) };
  }

  #collect(request: RunKey, run: Packed<typeof runs>, arrival: Collected, sinkNo: number): CreateRunResult {
    const { batch } = arrival;
    const flow = this.#flow.collect(request, { request: runs.read(run, 'request'), body: runs.read(run, 'body') }, arrival);
    if (flow === null) return { kind: 'id_taken' };
    const idempotency = runs.read(run, 'idempotency');
    if (idempotency !== null) this.#keys.store(sinkNo, idempotency, batch.runNumber, runs.read(run, 'now'));
    return { kind: 'collected', runId: joinRunId(batch), flow };
  }

  advanceRun(lease: Lease, turn: Packed<typeof turns>): boolean {
    const run = this.#findLeased(lease);
    // The turn is stored already, and the caller missed the answer.
    if (run === undefined || run.turns !== lease.turns) return run?.turns === lease.turns + 1;
    const { runNumber } = run;
    const steps = turns.read(turn, 'steps');
    if (run.isOver === 1 || this.#steps.hasEnded(runNumber, run.firstSteps, steps)) return false;
    if (this.#missesReply(runNumber, steps)) {
      this.#sql.releaseRun.run(turns.read(turn, 'now'), runNumber);
      return false;
    }
    if (!this.#storeDeliveriesAndMemory(run, turn)) return false;
    const now = turns.read(turn, 'now');
    const status = turns.read(turn, 'status');
    const isEnd = turns.read(turn, 'finished_at') !== null;
    this.#sql.updateRun.run(...turns.assigned(turn), isEnd ? 1 : 0, status === 'running' ? 1 : 0, runNumber);
    const seq = turns.read(turn, 'firstSeq');
    if (seq > 0) this.#sql.insertEvents({ run_id: runNumber, seq, data: turns.read(turn, 'events') });
    this.#steps.store(runNumber, steps);
    if (isEnd) this.#endings.cancelDeliveries(runNumber, now);
    if (isEnd && run.hasFlow === 1) this.#flow.leave(runNumber);
    // A delivery may have ended, or a reply come, while this turn was planned.
    if (status === 'waiting' && this.#resultsOf(runNumber).length > 0) this.#sql.wakeRun.run(now, runNumber);
    return true;
  }

  cancelRun({ now }: Stamp, runId: string): { cancelled: boolean; events: RunEvent[] } | null {
    const key = parseRunId(runId);
    const run = key && (this.#sql.selectForCancel.get(key.runNumber, key.nonce) as { status: RunStatus; lastSeq: number } | undefined);
    if (!run) return null;
    if (isTerminal(run.status)) return { cancelled: false, events: [] };
    this.#endings.endRun(key.runNumber, run.lastSeq, { status: 'cancelled', error: CANCELLED, now });
    return { cancelled: true, events: [{ seq: run.lastSeq + 1, outcome: { status: 'cancelled', output: null, error: CANCELLED } }] };
  }

  #findLeased({ runId, epoch }: Lease): LeasedRun | undefined {
    const { runNumber, nonce } = keyOf(runId);
    return this.#sql.selectLeased.get(runNumber, nonce, epoch) as LeasedRun | undefined;
  }

  #isStored(runNumber: number, nonce: string): boolean {
    return this.#sql.isStored.get(runNumber, nonce) === 1;
  }

  #numbersOf(sinkId: string): SinkNumbers {
    const known = this.#numbersBySink.get(sinkId) ?? (this.#sql.selectNumbersOfSink.get(sinkId) as SinkNumbers | undefined);
    if (known === undefined) throw new Error(`there is no sink "${sinkId}"; a run must name a stored sink`);
    this.#numbersBySink.set(sinkId, known);
    return known;
  }

  /** Returns false, and releases the run, if the memory that the turn read has changed. */
  #storeDeliveriesAndMemory(run: LeasedRun, turn: Packed<typeof turns>): boolean {
    const now = turns.read(turn, 'now');
    const deliveries = turns.read(turn, 'deliveries');
    const uses = turns.read(turn, 'memory');
    if (uses !== null && !this.#memory.isCurrent(run.sinkNo, uses)) {
      this.#sql.releaseRun.run(now, run.runNumber);
      return false;
    }
    if (deliveries !== null) this.#insertDeliveries(run.runNumber, run, deliveries);
    if (uses !== null) this.#memory.write(run.sinkNo, uses, now);
    return true;
  }
}

function prepareStatements(database: Database) {
  return {
    insertRun: runs.insert(database, 'ON CONFLICT (id) DO NOTHING'),
    insertBlob: runBlobs.insert(database, 'ON CONFLICT DO NOTHING'),
    insertEvents: runEvents.insert(database),
    updateRun: database.prepare(
      `UPDATE runs SET ${turns.assignments}, turns = turns + 1,
         inputs = CASE WHEN ? THEN NULL ELSE inputs END, deaths = CASE WHEN ? THEN deaths ELSE 0 END
       WHERE id = ?`,
    ),
    wakeRun: database.prepare('UPDATE runs SET wake_at = ? WHERE id = ?'),
    releaseRun: database.prepare("UPDATE runs SET status = 'queued', wake_at = ?, epoch = epoch + 1 WHERE id = ?"),
    selectLeased: database.prepare(
      `SELECT id AS runNumber, turns, finished_at IS NOT NULL AS isOver, sink_no AS sinkNo, app_no AS appNo, first_steps AS firstSteps,
         flow_key IS NOT NULL AS hasFlow
       FROM runs WHERE id = ? AND nonce = ? AND epoch = ?`,
    ),
    isStored: database.prepare('SELECT EXISTS (SELECT 1 FROM runs WHERE id = ? AND nonce = ?)').pluck(),
    selectNumbersOfSink: database.prepare('SELECT no AS sinkNo, app_no AS appNo FROM sinks WHERE id = ?'),
    selectForCancel: database.prepare('SELECT status, last_seq AS lastSeq FROM runs WHERE id = ? AND nonce = ?'),
  };
}
