// Flow control: decides when the runs of a sink may start.
//
// After every change, of each sink no more runs are active than its limit, and of each key one. A run is `ready` if no other run
// of its key is active or before it. A ready run is started as soon as there is a place.

import { COOLING, DROPPED, supersededBy } from '../../../../src/core/run/run-event.ts';
import { type FlowSetting, flowKeySelector } from '../../../../src/core/sink/limits/flow-setting.ts';
import type { FlowCount } from '../../../../src/storage/runs/run-queries.ts';
import type { CreateRunResult, FlowDecision, NewRun } from '../../../../src/storage/runs/run-records.ts';
import type { StoredRun } from '../records.ts';
import type { State } from '../state.ts';
import { type Collecting, fits, joinRequests } from './batches.ts';
import { beginCooldown, endCooldowns, isCooling } from './cooldowns.ts';

/** A run of a sink with flow control that has not ended, in its place in the line. */
export interface LinedRun {
  run: StoredRun;
  readonly sinkId: string;
  readonly key: string;
  state: 'active' | 'ready' | 'behind' | 'quiet' | 'collecting';
  /** When the first of the runs that replaced each other came. */
  readonly sinceAt: number;
  /** The requests after the first one. */
  readonly later: Collecting[];
}

type Refusal = Extract<CreateRunResult, { kind: 'refused' }>;
export type Arrival = Refusal | Collected | Entry;
export interface Collected {
  kind: 'collect';
  batch: LinedRun;
  isLast: boolean;
}
type Entry =
  | { kind: 'untracked' | 'drop' | 'skip' | 'start' | 'hold'; key: string; flow: FlowSetting | null }
  | { kind: 'open'; key: string; seconds: number; full: LinedRun | undefined };

const MAX_STARTS = 100;

/** Decides about a run that arrives. Changes nothing. */
export function judge(state: State, run: NewRun): Arrival {
  const { sinkId } = run;
  const flow = flowOf(state, sinkId);
  if (flow === null) return { kind: 'untracked', key: '', flow };
  const key = flowKeySelector(flow) === null ? '' : (run.flowKey ?? '');
  const held = linesOf(state, sinkId).filter(isWaiting);
  if (flow.batch !== undefined && isCollectable(run)) {
    const { size, seconds } = flow.batch;
    const open = held.find((line) => line.state === 'collecting' && line.key === key);
    if (open !== undefined && fits(open, run)) return { kind: 'collect', batch: open, isLast: open.later.length + 2 >= size };
    return held.length >= flow.queueLimit ? { kind: 'refused', reason: 'queue_full' } : { kind: 'open', key, seconds, full: open };
  }
  if (flow.cooldown !== undefined && isCooling(state, sinkId, key)) return { kind: 'skip', key, flow };
  if (flow.debounce === null) {
    if (canStart(state, sinkId, key, flow)) return { kind: 'start', key, flow };
    if (flow.overflow === 'reject') return { kind: 'refused', reason: 'no_place' };
    if (flow.overflow === 'drop') return { kind: 'drop', key, flow };
  }
  const replaces = mayReplace(flow) && held.some((line) => isReplaceable(line) && line.key === key);
  return !replaces && held.length >= flow.queueLimit ? { kind: 'refused', reason: 'queue_full' } : { kind: 'hold', key, flow };
}

/** Puts a stored run where `judge` has said. */
export function enter(state: State, run: StoredRun, arrival: Entry): FlowDecision {
  const sinceAt = state.clock();
  const { kind, key } = arrival;
  const line = { run, sinkId: run.sinkId, key, sinceAt, later: [] };
  if (kind === 'open') {
    if (arrival.full !== undefined) close(state, arrival.full);
    state.lines.push({ ...line, state: 'collecting' });
    run.wakeAt = Math.ceil(sinceAt + arrival.seconds * 1000);
    return recall(state, run);
  }
  const { flow } = arrival;
  if (kind === 'drop' || kind === 'skip') {
    endQueued(state, run, kind === 'drop' ? DROPPED : COOLING);
    return { state: kind === 'drop' ? 'dropped' : 'skipped', dueAt: null, superseded: [] };
  }
  if (flow?.cooldown !== undefined) beginCooldown(state, run.sinkId, key, flow.cooldown.seconds);
  if (kind === 'start') state.lines.push({ ...line, state: 'active' });
  if (kind !== 'hold' || flow === null) {
    run.wakeAt = run.createdAt;
    return { state: 'due', dueAt: run.wakeAt, superseded: [] };
  }
  const superseded = hold(state, run, key, flow);
  return { ...recall(state, run), superseded };
}

/** Puts the request of a run that is not stored in the batch, as `judge` has said. */
export function collect(state: State, request: Collecting, { batch, isLast }: Collected): FlowDecision {
  if (state.broken !== 'lost-request' || !isLast) batch.later.push(request);
  if (isLast) close(state, batch);
  return recall(state, batch.run);
}

export function isCollectable({ bodyKind, replay }: Pick<NewRun, 'bodyKind' | 'replay'>): boolean {
  return bodyKind === 'batch' && replay === null;
}

/** The decision about a run that was stored before, as far as it can be told. */
export function recall(state: State, run: StoredRun): FlowDecision {
  if (run.error?.code === DROPPED.code) return { state: 'dropped', dueAt: null, superseded: [] };
  if (run.error?.code === COOLING.code) return { state: 'skipped', dueAt: null, superseded: [] };
  const line = state.lines.find((one) => one.run === run);
  return { state: line === undefined || line.state === 'active' ? 'due' : 'held', dueAt: run.wakeAt, superseded: [] };
}

/** Removes a run that has ended, and starts those that may start now. */
export function leave(state: State, run: StoredRun): void {
  const line = remove(state, run);
  if (line === undefined) return;
  if (line.state === 'collecting') joinRequests(line);
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
  if (line.state === 'collecting') {
    close(state, line);
    return false;
  }
  wait(state, line);
  start(state, line.sinkId);
  return (line.state as LinedRun['state']) === 'active';
}

/** Applies changed settings of a sink to its held runs. */
export function settleFlow(state: State, sinkId: string): void {
  if (flowOf(state, sinkId)?.cooldown === undefined) endCooldowns(state, sinkId);
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
const isReplaceable = (line: LinedRun): boolean => isWaiting(line) && line.state !== 'collecting';
const mayReplace = ({ debounce, overflow }: FlowSetting): boolean => debounce !== null || overflow === 'latest_wins';

function canStart(state: State, sinkId: string, key: string, flow: FlowSetting): boolean {
  const lines = linesOf(state, sinkId);
  if (flow.orderingKey !== null && isBusy(lines, key)) return false;
  return flow.maxConcurrent === null || (placesOf(state, sinkId) > 0 && !lines.some((line) => line.state === 'ready'));
}

function isBusy(lines: readonly LinedRun[], key: string): boolean {
  return lines.some((line) => line.key === key && line.state !== 'quiet' && line.state !== 'collecting');
}

function placesOf(state: State, sinkId: string): number {
  const limit = flowOf(state, sinkId)?.maxConcurrent ?? null;
  if (limit === null || state.broken === 'lost-place') return MAX_STARTS;
  return limit - linesOf(state, sinkId).filter((line) => line.state === 'active').length;
}

/** Holds the run, in the place of those that it replaces. Returns their ids. */
function hold(state: State, run: StoredRun, key: string, flow: FlowSetting): string[] {
  const now = state.clock();
  const replaced = mayReplace(flow) ? linesOf(state, run.sinkId).filter((line) => isReplaceable(line) && line.key === key) : [];
  const superseded = replaced.map((line) => line.run.runId);
  for (const line of replaced) endQueued(state, line.run, supersededBy(run.runId));
  const [first, ...others] = replaced;
  for (const line of others) remove(state, line.run);
  const line: LinedRun = { run, sinkId: run.sinkId, key, state: 'quiet', sinceAt: first?.sinceAt ?? now, later: [] };
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

/** The batch takes no more requests: its run starts, or waits for other runs. */
function close(state: State, line: LinedRun): void {
  joinRequests(line);
  wait(state, line);
  start(state, line.sinkId);
}

/** From now on the run waits for other runs alone. */
function wait(state: State, line: LinedRun): void {
  const isOrdered = flowOf(state, line.sinkId)?.orderingKey != null;
  if (line.state === 'quiet' || line.state === 'collecting')
    line.state = isOrdered && isBusy(linesOf(state, line.sinkId), line.key) ? 'behind' : 'ready';
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
