// Flow control: decides when the runs of a sink may start.
//
// After every change, of each sink no more runs are active than its limit, and of each key one. A run is `ready` if no other run
// of its key is active or before it. A ready run is started as soon as there is a place.

import { DROPPED, supersededBy } from '../../../../src/core/run/run-event.ts';
import type { FlowSetting } from '../../../../src/core/sink/limits/flow-setting.ts';
import type { CreateRunResult, FlowCount, FlowDecision } from '../../../../src/storage/run-records.ts';
import type { StoredRun } from '../records.ts';
import type { State } from '../state.ts';

/** A run of a sink with flow control that has not ended, in its place in the line. */
export interface LinedRun {
  run: StoredRun;
  readonly sinkId: string;
  readonly key: string;
  state: 'active' | 'ready' | 'behind' | 'quiet';
  /** When the first of the runs that replaced each other came. */
  readonly sinceAt: number;
}

type Refusal = Extract<CreateRunResult, { kind: 'refused' }>;
export type Arrival = Refusal | { kind: 'untracked' | 'drop' | 'start' | 'hold'; key: string; flow: FlowSetting | null };

const MAX_STARTS = 100;

/** Decides about a run that arrives. Changes nothing. */
export function judge(state: State, sinkId: string, givenKey: string): Arrival {
  const flow = flowOf(state, sinkId);
  if (flow === null) return { kind: 'untracked', key: '', flow };
  const key = flow.orderingKey === null ? '' : givenKey;
  const held = linesOf(state, sinkId).filter(isWaiting);
  if (flow.debounce === null) {
    if (canStart(state, sinkId, key, flow)) return { kind: 'start', key, flow };
    if (flow.overflow === 'reject') return { kind: 'refused', reason: 'no_place' };
    if (flow.overflow === 'drop') return { kind: 'drop', key, flow };
  }
  const replaces = mayReplace(flow) && held.some((line) => line.key === key);
  return !replaces && held.length >= flow.queueLimit ? { kind: 'refused', reason: 'queue_full' } : { kind: 'hold', key, flow };
}

/** Puts a stored run where `judge` has said. */
export function enter(state: State, run: StoredRun, { kind, key, flow }: Exclude<Arrival, Refusal>): FlowDecision {
  const sinceAt = state.clock();
  if (kind === 'drop') {
    endQueued(state, run, DROPPED);
    return { state: 'dropped', dueAt: null, superseded: [] };
  }
  if (kind === 'start') state.lines.push({ run, sinkId: run.sinkId, key, state: 'active', sinceAt });
  if (kind !== 'hold' || flow === null) {
    run.wakeAt = run.createdAt;
    return { state: 'due', dueAt: run.wakeAt, superseded: [] };
  }
  const superseded = hold(state, run, key, flow);
  return { ...recall(state, run), superseded };
}

/** The decision about a run that was stored before, as far as it can be told. */
export function recall(state: State, run: StoredRun): FlowDecision {
  if (run.status === 'cancelled' && run.error?.code === DROPPED.code) return { state: 'dropped', dueAt: null, superseded: [] };
  const line = state.lines.find((one) => one.run === run);
  return { state: line === undefined || line.state === 'active' ? 'due' : 'held', dueAt: run.wakeAt, superseded: [] };
}

/** Removes a run that has ended, and starts those that may start now. */
export function leave(state: State, run: StoredRun): void {
  const line = remove(state, run);
  if (line === undefined) return;
  const { sinkId, key } = line;
  const next = linesOf(state, sinkId).find((other) => other.key === key && other.state === 'behind');
  const isTaken = linesOf(state, sinkId).some((other) => other.key === key && (other.state === 'active' || other.state === 'ready'));
  if (next !== undefined && !isTaken) next.state = 'ready';
  start(state, sinkId);
}

/** Whether a due run may be claimed. If not, it waits for other runs from now on. */
export function mayClaim(state: State, run: StoredRun): boolean {
  const line = state.lines.find((one) => one.run === run);
  if (line === undefined || line.state === 'active') return true;
  wait(state, line);
  start(state, line.sinkId);
  return (line.state as LinedRun['state']) === 'active';
}

/** Applies changed settings of a sink to its held runs. */
export function settleFlow(state: State, sinkId: string): void {
  const isOrdered = flowOf(state, sinkId)?.orderingKey != null;
  const lines = linesOf(state, sinkId);
  for (const [index, line] of lines.entries()) {
    if (line.state !== 'ready' && line.state !== 'behind') continue;
    const isBehind = lines.some(
      (other, at) =>
        other.key === line.key && (other.state === 'active' || (at < index && (other.state === 'ready' || other.state === 'behind'))),
    );
    line.state = isOrdered && isBehind ? 'behind' : 'ready';
  }
  start(state, sinkId);
}

export function countFlow(state: State, sinkId: string): FlowCount | null {
  const lines = linesOf(state, sinkId);
  if (flowOf(state, sinkId) === null && lines.length === 0) return null;
  const held = lines.filter(isWaiting).length;
  return { inFlight: lines.length - held, held };
}

function flowOf({ definitions }: State, sinkId: string): FlowSetting | null {
  return definitions.sinks.find(({ id }) => id === sinkId)?.flow ?? null;
}

function linesOf({ lines }: State, sinkId: string): LinedRun[] {
  return lines.filter((line) => line.sinkId === sinkId);
}

const isWaiting = ({ state }: LinedRun): boolean => state !== 'active';
const mayReplace = ({ debounce, overflow }: FlowSetting): boolean => debounce !== null || overflow === 'latest_wins';

function canStart(state: State, sinkId: string, key: string, flow: FlowSetting): boolean {
  const lines = linesOf(state, sinkId);
  if (flow.orderingKey !== null && isBusy(lines, key)) return false;
  return flow.maxConcurrent === null || (placesOf(state, sinkId) > 0 && !lines.some((line) => line.state === 'ready'));
}

function isBusy(lines: readonly LinedRun[], key: string): boolean {
  return lines.some((line) => line.key === key && line.state !== 'quiet');
}

function placesOf(state: State, sinkId: string): number {
  const limit = flowOf(state, sinkId)?.maxConcurrent ?? null;
  if (limit === null || state.broken === 'lost-place') return MAX_STARTS;
  return limit - linesOf(state, sinkId).filter((line) => line.state === 'active').length;
}

/** Holds the run, in the place of those that it replaces. Returns their ids. */
function hold(state: State, run: StoredRun, key: string, flow: FlowSetting): string[] {
  const now = state.clock();
  const replaced = mayReplace(flow) ? linesOf(state, run.sinkId).filter((line) => isWaiting(line) && line.key === key) : [];
  const superseded = replaced.map((line) => line.run.runId);
  for (const line of replaced) endQueued(state, line.run, supersededBy(run.runId));
  const [first, ...others] = replaced;
  for (const line of others) remove(state, line.run);
  const line: LinedRun = { run, sinkId: run.sinkId, key, state: 'quiet', sinceAt: first?.sinceAt ?? now };
  if (first === undefined) state.lines.push(line);
  else state.lines.splice(state.lines.indexOf(first), 1, line);
  const { debounce } = flow;
  const quiet = debounce === null ? now : now + debounce.seconds * 1000;
  const latest = debounce === null || debounce.maxSeconds === null ? quiet : line.sinceAt + debounce.maxSeconds * 1000;
  run.wakeAt = Math.ceil(Math.min(quiet, latest));
  if (run.wakeAt > now) return superseded;
  wait(state, line);
  start(state, run.sinkId);
  return superseded;
}

/** From now on the run waits for other runs alone. */
function wait(state: State, line: LinedRun): void {
  const isOrdered = flowOf(state, line.sinkId)?.orderingKey != null;
  if (line.state === 'quiet') line.state = isOrdered && isBusy(linesOf(state, line.sinkId), line.key) ? 'behind' : 'ready';
  line.run.wakeAt = null;
}

/** Starts ready runs, the first of the line first, as long as there are places. */
function start(state: State, sinkId: string): void {
  const places = Math.min(placesOf(state, sinkId), MAX_STARTS);
  const ready = linesOf(state, sinkId).filter((line) => line.state === 'ready');
  for (const line of ready.slice(0, Math.max(places, 0))) {
    line.state = 'active';
    line.run.wakeAt = line.run.createdAt;
  }
}

function remove({ lines }: State, run: StoredRun): LinedRun | undefined {
  const index = lines.findIndex((line) => line.run === run);
  return index === -1 ? undefined : lines.splice(index, 1)[0];
}

/** Ends a run that has not started. */
function endQueued(state: State, run: StoredRun, error: typeof DROPPED): void {
  run.epoch += 1;
  run.lastSeq += 1;
  Object.assign(run, { status: 'cancelled', error, finishedAt: state.clock(), wakeAt: null, inputs: null });
  state.openRuns.delete(run);
}
