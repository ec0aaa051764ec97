// Flow control in SQLite: decides when the runs of a sink may start. Each decision is made in the transaction that changes the
// line, so it is exact across crashes and owners.
//
// After every commit, of each sink no more runs are active than its limit, and of each key one. A run is `ready` if no other
// run of its key is active or before it. A ready run is started as soon as there is a place. Only a quiet run, and that of an
// open batch, has a due time before it is active.

import type { Database } from 'better-sqlite3';
import type { StoredBatch } from '../../../core/run/batch.ts';
import type { RunError } from '../../../core/run/run.ts';
import { COOLING, DROPPED, supersededBy } from '../../../core/run/run-event.ts';
import type { RunKey } from '../../../core/run/run-id.ts';
import { type FlowSetting, flowKeySelector } from '../../../core/sink/limits/flow-setting.ts';
import type { FlowDecision } from '../../runs/run-records.ts';
import { toRunId } from '../runs/run-rows.ts';
import type { Arrival, Arriving, Collected, Entry } from './arrival.ts';
import { Batches, fits } from './batches.ts';
import { Cooldowns } from './cooldowns.ts';
import type { FlowState } from './flow-columns.ts';
import { prepareFlowStatements } from './flow-statements.ts';

/** Runs that one change starts. Each of them starts more when it ends, so that a long line does not stop the writer. */
const MAX_STARTS = 100;

interface Waiting {
  no: number;
  runNumber: number;
  sinceAt: number;
}

interface Line {
  no: number;
  sinkNo: number;
  key: string;
  state: FlowState;
}

export class FlowControl {
  readonly #sql: ReturnType<typeof prepareFlowStatements>;
  readonly #batches: Batches;
  readonly #cooldowns: Cooldowns;
  /** By sink, its stored settings as text and the flow that they hold. */
  readonly #read = new Map<number, { text: string; flow: FlowSetting | null }>();

  constructor(database: Database) {
    this.#sql = prepareFlowStatements(database);
    this.#batches = new Batches(database);
    this.#cooldowns = new Cooldowns(database);
  }

  /** Decides about a run that arrives. Changes nothing. */
  judge({ sinkNo, key: givenKey, batchBytes, now }: Arriving): Arrival {
    const flow = this.#flowOf(sinkNo);
    if (flow === null) return { kind: 'untracked', key: '', flow };
    const key = flowKeySelector(flow) === null ? '' : givenKey;
    const { overflow, debounce, queueLimit, batch, cooldown } = flow;
    if (batch !== undefined && batchBytes !== null) return this.#judgeRequest(sinkNo, key, batchBytes, { ...batch, queueLimit });
    if (cooldown !== undefined && this.#cooldowns.isRunning(sinkNo, key, now)) return { kind: 'skip', key, flow };
    if (debounce === null && this.#canStart(sinkNo, key, flow)) return { kind: 'start', key, flow };
    if (debounce === null && overflow === 'reject') return { kind: 'refused', reason: 'no_place' };
    if (debounce === null && overflow === 'drop') return { kind: 'drop', key, flow };
    const replaces = (debounce !== null || overflow === 'latest_wins') && this.#waitingOf(sinkNo, key).length > 0;
    return !replaces && this.#isQueueFull(sinkNo, queueLimit) ? { kind: 'refused', reason: 'queue_full' } : { kind: 'hold', key, flow };
  }

  /** Puts a stored run where `judge` has said. */
  enter(runNumber: number, runId: string, sinkNo: number, arrival: Entry, now: number): FlowDecision {
    const { kind, key } = arrival;
    if (kind === 'open') return this.#open(runNumber, sinkNo, arrival, now);
    const { flow } = arrival;
    if (kind === 'drop' || kind === 'skip') {
      this.#sql.endRun.get(JSON.stringify(kind === 'drop' ? DROPPED : COOLING), now, runNumber);
      return { state: kind === 'drop' ? 'dropped' : 'skipped', dueAt: null, superseded: [] };
    }
    if (flow?.cooldown !== undefined) this.#cooldowns.begin(sinkNo, key, now, flow.cooldown.seconds);
    if (kind === 'start') this.#insert({ runNumber, sinkNo, key, state: 'active', now });
    if (kind !== 'hold' || flow === null) return { state: 'due', dueAt: this.#makeDue(runNumber), superseded: [] };
    const superseded = this.#hold(runNumber, runId, { sinkNo, key, flow }, now);
    return { ...this.#stateOf(runNumber), superseded };
  }

  /** Puts the request of a run that was not stored in the batch, as `judge` has said. Null: another request has its number. */
  collect(request: RunKey, stored: StoredBatch, { batch, isLast }: Collected): FlowDecision | null {
    const { runNumber } = batch;
    if (!this.#batches.collect(batch, request, stored)) return null;
    if (isLast) this.#close(runNumber);
    return this.recall(runNumber);
  }

  /** The run of a request that was collected before. */
  batchOf(request: RunKey): RunKey | undefined {
    return this.#batches.runOf(request);
  }

  /** The decision about a run that was stored before, as far as it can be told. */
  recall(runNumber: number): FlowDecision {
    return { ...this.#stateOf(runNumber), superseded: [] };
  }

  /** Removes a run that has ended, and starts those that may start now. */
  leave(runNumber: number): void {
    const left = this.#sql.delete.get(runNumber) as Line | undefined;
    if (left === undefined) return;
    if (left.state === 'collecting') this.#batches.join(runNumber);
    this.#sql.promote.run(left);
    this.#start(left.sinkNo);
  }

  /** Whether a due run may be claimed. If not, it waits for other runs from now on. */
  mayClaim(runNumber: number): boolean {
    const line = this.#sql.selectLine.get(runNumber) as Line | undefined;
    if (line === undefined || line.state === 'active') return true;
    if (line.state === 'collecting') {
      this.#close(runNumber);
      // Its size has changed, by which claims are limited.
      return false;
    }
    this.#wait(line, runNumber);
    this.#start(line.sinkNo);
    return (this.#sql.selectLine.get(runNumber) as Line).state === 'active';
  }

  /** Applies changed settings of a sink to its held runs. */
  settle(sinkId: string): void {
    const sink = this.#sql.selectSink.get(sinkId) as { sinkNo: number; isTracked: 0 | 1 } | undefined;
    if (sink === undefined) return;
    const { sinkNo } = sink;
    if (this.#flowOf(sinkNo)?.cooldown === undefined) this.#cooldowns.endAll(sinkNo);
    if (sink.isTracked === 0) return;
    if (isOrdered(this.#flowOf(sinkNo))) this.#sql.reorder.run(sinkNo);
    else this.#sql.unorder.run(sinkNo);
    this.#start(sinkNo);
  }

  /** Reads the settings each time: they are compared as text, because a change of them may be rolled back. */
  #flowOf(sinkNo: number): FlowSetting | null {
    const text = this.#sql.selectSettings.get(sinkNo) as string;
    const known = this.#read.get(sinkNo);
    if (known?.text === text) return known.flow;
    const { flow = null } = JSON.parse(text) as { flow?: FlowSetting };
    this.#read.set(sinkNo, { text, flow });
    return flow;
  }

  #judgeRequest(
    sinkNo: number,
    key: string,
    bytes: number,
    { size, seconds, queueLimit }: { size: number; seconds: number; queueLimit: number },
  ): Arrival {
    const open = this.#batches.find(sinkNo, key);
    if (open !== undefined && fits(open, bytes)) return { kind: 'collect', batch: open, isLast: open.count + 1 >= size };
    if (this.#isQueueFull(sinkNo, queueLimit)) return { kind: 'refused', reason: 'queue_full' };
    return { kind: 'open', key, seconds, bytes, full: open };
  }

  #open(runNumber: number, sinkNo: number, { key, seconds, bytes, full }: Extract<Entry, { kind: 'open' }>, now: number): FlowDecision {
    if (full !== undefined) this.#close(full.runNumber);
    this.#insert({ runNumber, sinkNo, key, state: 'collecting', now, bytes });
    this.#sql.setDue.run(Math.ceil(now + seconds * 1000), runNumber);
    return this.recall(runNumber);
  }

  /** The batch takes no more requests: its run starts, or waits for other runs. */
  #close(runNumber: number): void {
    this.#batches.join(runNumber);
    const line = this.#sql.selectLine.get(runNumber) as Line;
    this.#wait(line, runNumber);
    this.#start(line.sinkNo);
  }

  #insert({ runNumber, sinkNo, key, state, now, bytes = 0 }: Omit<Line, 'no'> & { runNumber: number; now: number; bytes?: number }): void {
    const collected = state === 'collecting' ? 1 : 0;
    const row = { run_id: runNumber, sink_no: sinkNo, flow_key: key, state, since_at: now, collected, collected_bytes: bytes };
    this.#sql.insert(row);
  }

  #isQueueFull(sinkNo: number, queueLimit: number): boolean {
    return this.#sql.countWaiting.get({ sinkNo, most: queueLimit }) === queueLimit;
  }

  #canStart(sinkNo: number, key: string, flow: FlowSetting): boolean {
    if (isOrdered(flow) && this.#isBusy(sinkNo, key)) return false;
    return flow.maxConcurrent === null || (this.#places(sinkNo, flow) > 0 && this.#sql.hasReady.get(sinkNo) === 0);
  }

  /** Whether a run of the key is active, or before any run that comes now. */
  #isBusy(sinkNo: number, key: string): boolean {
    return this.#sql.isBusy.get({ sinkNo, key }) === 1;
  }

  #places(sinkNo: number, flow: FlowSetting | null): number {
    const limit = flow?.maxConcurrent ?? null;
    if (limit === null) return MAX_STARTS;
    return limit - (this.#sql.countActive.get({ sinkNo, most: limit }) as number);
  }

  #waitingOf(sinkNo: number, key: string): Waiting[] {
    return this.#sql.selectWaiting.all(sinkNo, key) as Waiting[];
  }

  /** Holds the run, in the place of those that it replaces. Returns their ids. */
  #hold(
    runNumber: number,
    runId: string,
    { sinkNo, key, flow }: { sinkNo: number; key: string; flow: FlowSetting },
    now: number,
  ): string[] {
    const { debounce } = flow;
    const replaces = debounce !== null || flow.overflow === 'latest_wins';
    const replaced = replaces ? this.#waitingOf(sinkNo, key) : [];
    const superseded = replaced.map((held) => this.#supersede(held, runId, now));
    const [first] = replaced;
    for (const { runNumber: other } of replaced.slice(1)) this.#sql.delete.get(other);
    if (first === undefined) this.#insert({ runNumber, sinkNo, key, state: 'quiet', now });
    else this.#sql.replace.run(runNumber, first.no);
    const dueAt = debounce === null ? now : quietAt(debounce, first?.sinceAt ?? now, now);
    if (dueAt > now) this.#sql.setDue.run(dueAt, runNumber);
    else {
      this.#wait(this.#sql.selectLine.get(runNumber) as Line, runNumber);
      this.#start(sinkNo);
    }
    return superseded;
  }

  #supersede({ runNumber }: Waiting, by: string, now: number): string {
    const nonce = this.#sql.endRun.get(JSON.stringify(supersededBy(by)), now, runNumber) as string;
    return toRunId({ run_number: runNumber, nonce });
  }

  /** From now on the run waits for other runs alone. */
  #wait({ no, sinkNo, key, state }: Line, runNumber: number): void {
    if (state === 'quiet' || state === 'collecting') {
      const isBehind = isOrdered(this.#flowOf(sinkNo)) && this.#isBusy(sinkNo, key);
      this.#sql.setState.run(isBehind ? 'behind' : 'ready', no);
    }
    this.#sql.setDue.run(null, runNumber);
  }

  /** Starts ready runs, the first of the line first, as long as there are places. */
  #start(sinkNo: number): void {
    const places = Math.min(this.#places(sinkNo, this.#flowOf(sinkNo)), MAX_STARTS);
    if (places <= 0) return;
    for (const { no, runNumber } of this.#sql.selectReady.all(sinkNo, places) as Waiting[]) {
      this.#sql.setState.run('active', no);
      this.#makeDue(runNumber);
    }
  }

  /** Makes the run due since it was created, so that runs are claimed in the order in which they came. */
  #makeDue(runNumber: number): number {
    return this.#sql.makeDue.get(runNumber) as number;
  }

  #stateOf(runNumber: number): Pick<FlowDecision, 'state' | 'dueAt'> {
    const { dueAt, error } = this.#sql.selectRun.get(runNumber) as { dueAt: number | null; error: string | null };
    if (isEndedBy(DROPPED, error)) return { state: 'dropped', dueAt: null };
    if (isEndedBy(COOLING, error)) return { state: 'skipped', dueAt: null };
    const line = this.#sql.selectLine.get(runNumber) as Line | undefined;
    return { state: line === undefined || line.state === 'active' ? 'due' : 'held', dueAt };
  }
}

function isEndedBy(reason: RunError, error: string | null): boolean {
  return error === JSON.stringify(reason);
}

function isOrdered(flow: FlowSetting | null): boolean {
  return flow !== null && flow.orderingKey !== null;
}

function quietAt({ seconds, maxSeconds }: NonNullable<FlowSetting['debounce']>, since: number, now: number): number {
  const quiet = now + seconds * 1000;
  return Math.ceil(maxSeconds === null ? quiet : Math.min(quiet, since + maxSeconds * 1000));
}
