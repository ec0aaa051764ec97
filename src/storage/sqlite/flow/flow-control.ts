// Flow control in SQLite: decides when the runs of a sink may start. Each decision is made in the transaction that changes the
// line, so it is exact across crashes and owners.
//
// After every commit, of each sink no more runs are active than its limit, and of each key one. A run is `ready` if no other
// run of its key is active or before it. A ready run is started as soon as there is a place. Only a quiet run has a due time
// before it is active.

import type { Database } from 'better-sqlite3';
import { DROPPED, supersededBy } from '../../../core/run/run-event.ts';
import type { FlowSetting } from '../../../core/sink/limits/flow-setting.ts';
import type { CreateRunResult, FlowDecision } from '../../run-records.ts';
import { toRunId } from '../runs/run-rows.ts';
import { type FlowState, flowRuns } from './flow-columns.ts';

/** Runs that one change starts. Each of them starts more when it ends, so that a long line does not stop the writer. */
const MAX_STARTS = 100;

type Refusal = Extract<CreateRunResult, { kind: 'refused' }>;

/** The decision about an arriving run. `untracked`: its sink has no flow control any more. */
export type Arrival = Refusal | { kind: 'untracked' | 'drop' | 'start' | 'hold'; key: string; flow: FlowSetting | null };

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
  readonly #sql: ReturnType<typeof prepareStatements>;
  /** By sink, its stored settings as text and the flow that they hold. */
  readonly #read = new Map<number, { text: string; flow: FlowSetting | null }>();

  constructor(database: Database) {
    this.#sql = prepareStatements(database);
  }

  /** Decides about a run that arrives. Changes nothing. */
  judge(sinkNo: number, givenKey: string): Arrival {
    const flow = this.#flowOf(sinkNo);
    if (flow === null) return { kind: 'untracked', key: '', flow };
    const key = flow.orderingKey === null ? '' : givenKey;
    const { overflow, debounce, queueLimit } = flow;
    if (debounce === null && this.#canStart(sinkNo, key, flow)) return { kind: 'start', key, flow };
    if (debounce === null && overflow === 'reject') return { kind: 'refused', reason: 'no_place' };
    if (debounce === null && overflow === 'drop') return { kind: 'drop', key, flow };
    const replaces = (debounce !== null || overflow === 'latest_wins') && this.#waitingOf(sinkNo, key).length > 0;
    const isFull = !replaces && this.#sql.countWaiting.get({ sinkNo, most: queueLimit }) === queueLimit;
    return isFull ? { kind: 'refused', reason: 'queue_full' } : { kind: 'hold', key, flow };
  }

  /** Puts a stored run where `judge` has said. */
  enter(runNumber: number, runId: string, sinkNo: number, arrival: Exclude<Arrival, Refusal>, now: number): FlowDecision {
    const { kind, key, flow } = arrival;
    if (kind === 'drop') {
      this.#sql.endRun.get(JSON.stringify(DROPPED), now, runNumber);
      return { state: 'dropped', dueAt: null, superseded: [] };
    }
    if (kind === 'start') this.#sql.insert({ run_id: runNumber, sink_no: sinkNo, flow_key: key, state: 'active', since_at: now });
    if (kind !== 'hold' || flow === null) return { state: 'due', dueAt: this.#makeDue(runNumber), superseded: [] };
    const superseded = this.#hold(runNumber, runId, { sinkNo, key, flow }, now);
    return { ...this.#stateOf(runNumber), superseded };
  }

  /** The decision about a run that was stored before, as far as it can be told. */
  recall(runNumber: number): FlowDecision {
    return { ...this.#stateOf(runNumber), superseded: [] };
  }

  /** Removes a run that has ended, and starts those that may start now. */
  leave(runNumber: number): void {
    const left = this.#sql.delete.get(runNumber) as Line | undefined;
    if (left === undefined) return;
    this.#sql.promote.run(left);
    this.#start(left.sinkNo);
  }

  /** Whether a due run may be claimed. If not, it waits for other runs from now on. */
  mayClaim(runNumber: number): boolean {
    const line = this.#sql.selectLine.get(runNumber) as Line | undefined;
    if (line === undefined || line.state === 'active') return true;
    this.#wait(line, runNumber);
    this.#start(line.sinkNo);
    return (this.#sql.selectLine.get(runNumber) as Line).state === 'active';
  }

  /** Applies changed settings of a sink to its held runs. */
  settle(sinkId: string): void {
    const sinkNo = this.#sql.selectTracked.get(sinkId) as number | undefined;
    if (sinkNo === undefined) return;
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
    if (first === undefined) this.#sql.insert({ run_id: runNumber, sink_no: sinkNo, flow_key: key, state: 'quiet', since_at: now });
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
    if (state === 'quiet') {
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
    const { status, dueAt, error } = this.#sql.selectRun.get(runNumber) as { status: string; dueAt: number | null; error: string | null };
    if (status === 'cancelled' && error === JSON.stringify(DROPPED)) return { state: 'dropped', dueAt: null };
    const line = this.#sql.selectLine.get(runNumber) as Line | undefined;
    return { state: line === undefined || line.state === 'active' ? 'due' : 'held', dueAt };
  }
}

function isOrdered(flow: FlowSetting | null): boolean {
  return flow !== null && flow.orderingKey !== null;
}

function quietAt({ seconds, maxSeconds }: NonNullable<FlowSetting['debounce']>, since: number, now: number): number {
  const quiet = now + seconds * 1000;
  return Math.ceil(maxSeconds === null ? quiet : Math.min(quiet, since + maxSeconds * 1000));
}

const HELD = "state IN ('ready', 'behind', 'quiet')";
const LINE = 'no, sink_no AS sinkNo, flow_key AS key, state';
/** Another run of the key that is active or before it. */
const IS_BEHIND = `EXISTS (
  SELECT 1 FROM flow_runs AS other
  WHERE other.sink_no = flow_runs.sink_no AND other.flow_key = flow_runs.flow_key AND other.no <> flow_runs.no
    AND (other.state = 'active' OR (other.state IN ('ready', 'behind') AND other.no < flow_runs.no)))`;

function prepareStatements(database: Database) {
  return {
    selectSettings: database.prepare('SELECT settings FROM sinks WHERE no = ?').pluck(),
    selectTracked: database
      .prepare('SELECT no FROM sinks WHERE id = ? AND EXISTS (SELECT 1 FROM flow_runs WHERE sink_no = sinks.no)')
      .pluck(),
    insert: flowRuns.insert(database),
    replace: database.prepare("UPDATE flow_runs SET run_id = ?, state = 'quiet' WHERE no = ?"),
    setState: database.prepare('UPDATE flow_runs SET state = ? WHERE no = ?'),
    delete: database.prepare(`DELETE FROM flow_runs WHERE run_id = ? RETURNING ${LINE}`),
    selectLine: database.prepare(`SELECT ${LINE} FROM flow_runs WHERE run_id = ?`),
    selectWaiting: database.prepare(
      `SELECT no, run_id AS runNumber, since_at AS sinceAt FROM flow_runs WHERE sink_no = ? AND flow_key = ? AND ${HELD} ORDER BY no`,
    ),
    selectReady: database.prepare(
      "SELECT no, run_id AS runNumber, since_at AS sinceAt FROM flow_runs WHERE sink_no = ? AND state = 'ready' ORDER BY no LIMIT ?",
    ),
    hasReady: database.prepare("SELECT EXISTS (SELECT 1 FROM flow_runs WHERE sink_no = ? AND state = 'ready')").pluck(),
    isBusy: database
      .prepare(
        "SELECT EXISTS (SELECT 1 FROM flow_runs WHERE sink_no = @sinkNo AND flow_key = @key AND state IN ('active', 'ready', 'behind'))",
      )
      .pluck(),
    countActive: database
      .prepare("SELECT count(*) FROM (SELECT 1 FROM flow_runs WHERE sink_no = @sinkNo AND state = 'active' LIMIT @most)")
      .pluck(),
    countWaiting: database
      .prepare(`SELECT count(*) FROM (SELECT 1 FROM flow_runs WHERE sink_no = @sinkNo AND ${HELD} LIMIT @most)`)
      .pluck(),
    promote: database.prepare(
      `UPDATE flow_runs SET state = 'ready'
       WHERE no = (SELECT min(no) FROM flow_runs WHERE sink_no = @sinkNo AND flow_key = @key AND state = 'behind')
         AND NOT EXISTS (SELECT 1 FROM flow_runs WHERE sink_no = @sinkNo AND flow_key = @key AND state IN ('active', 'ready'))`,
    ),
    reorder: database.prepare(
      `UPDATE flow_runs SET state = CASE WHEN ${IS_BEHIND} THEN 'behind' ELSE 'ready' END
       WHERE sink_no = ? AND state IN ('ready', 'behind')`,
    ),
    unorder: database.prepare("UPDATE flow_runs SET state = 'ready' WHERE sink_no = ? AND state = 'behind'"),
    endRun: database
      .prepare(
        `UPDATE runs SET status = 'cancelled', error = ?, finished_at = ?, wake_at = NULL, last_seq = last_seq + 1,
           epoch = epoch + 1, inputs = NULL
         WHERE id = ? RETURNING nonce`,
      )
      .pluck(),
    makeDue: database.prepare('UPDATE runs SET wake_at = created_at WHERE id = ? RETURNING wake_at').pluck(),
    setDue: database.prepare('UPDATE runs SET wake_at = ? WHERE id = ?'),
    selectRun: database.prepare('SELECT status, wake_at AS dueAt, error FROM runs WHERE id = ?'),
  };
}
