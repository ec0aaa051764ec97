// Creates, advances and ends runs.

import type { RequestHead } from '../../../../src/core/run/request.ts';
import { isDecided, isTerminal, type RunError, type RunStatus } from '../../../../src/core/run/run.ts';
import { CANCELLED, type RunEvent } from '../../../../src/core/run/run-event.ts';
import { parseRunId } from '../../../../src/core/run/run-id.ts';
import { LEASE_MS } from '../../../../src/leases/lease.ts';
import {
  type CreateRunResult,
  type CreateRunsResult,
  type Idempotency,
  isStorable,
  type Lease,
  type NewRun,
  type StepRecord,
  type Turn,
} from '../../../../src/storage/runs/run-records.ts';
import { sinkExists } from '../definitions.ts';
import { cancelAwaited, insertDeliveries, resultsOf } from '../deliveries/deliveries.ts';
import { FIRST_EPOCH, type StoredRun } from '../records.ts';
import { findRun, type State } from '../state.ts';
import { type Collected, collect, enter, judge, leave, recall } from './flow-control.ts';
import { findDuplicate, findRequest, storeKey, storeRequest } from './idempotency-keys.ts';
import { release, wake } from './make-due.ts';
import { missesReply } from './replies.ts';
import { isMemoryCurrent, writeMemory } from './step-memory.ts';

const CREATED: CreateRunResult = { kind: 'created' };

export function createRun(state: State, owner: number, run: NewRun): CreateRunResult {
  if (!sinkExists(state, run.sinkId)) throw new Error(`there is no sink "${run.sinkId}"; a run must name a stored sink`);
  const { runNumber } = parseRunId(run.runId) ?? { runNumber: -1 };
  const taken = state.runs.get(runNumber);
  if (taken?.runId === run.runId) return run.flowKey === null ? CREATED : { kind: 'created', flow: recall(state, taken) };
  const batch = findRun(state, state.collected.get(run.runId)?.runId ?? '');
  if (batch !== undefined) return { kind: 'collected', runId: batch.runId, flow: recall(state, batch) };
  const duplicate = run.idempotency === null ? null : findDuplicate(state, run.sinkId, run.idempotency);
  if (duplicate !== null) return duplicate;
  if (!isMemoryCurrent(state, run.sinkId, run.turn.memory)) return { kind: 'memory_changed' };
  const arrival = run.flowKey === null ? null : judge(state, run);
  if (arrival?.kind === 'refused') return arrival;
  if (arrival?.kind === 'collect') return collectRequest(state, run, arrival);
  if (taken !== undefined) return { kind: 'id_taken' };
  const stored = toStored(run, runNumber, owner);
  state.runs.set(runNumber, stored);
  state.openRuns.add(stored);
  if (run.idempotency !== null && arrival?.kind !== 'drop' && arrival?.kind !== 'skip') storeKey(state, stored, run.idempotency);
  applyTurn(state, stored, run.turn);
  insertDeliveries(state, owner, stored, run.turn);
  writeMemory(state, run.sinkId, run.turn.memory);
  return arrival === null ? CREATED : { kind: 'created', flow: enter(state, stored, arrival) };
}

function collectRequest(state: State, run: NewRun, arrival: Collected): CreateRunResult {
  const { runId } = arrival.batch.run;
  const { batch: [request] = [] } = JSON.parse(run.request) as RequestHead;
  const time = { at: run.createdAt, receivedAt: request?.received_at ?? 0, clientIp: request?.client_ip ?? '' };
  state.collected.set(run.runId, { runId, time });
  const flow = collect(state, run, arrival);
  if (run.idempotency !== null) storeKey(state, arrival.batch.run, run.idempotency);
  return { kind: 'collected', runId, flow };
}

/** All or none: rehearsed on a copy of the state. */
export function createRuns(state: State, owner: number, runs: readonly NewRun[], key: Idempotency | null = null): CreateRunsResult {
  const [first] = runs;
  const request = key === null || first === undefined ? undefined : findRequest(state, first.sinkId, key);
  if (request !== undefined && request.runIds[0] !== first?.runId) return { isStored: false, results: [], earlier: request };
  const { runs: stored, openRuns, lines, collected, cooldowns, deliveries, openDeliveries, memory, keys } = state;
  const changed = { runs: stored, openRuns, lines, collected, cooldowns, deliveries, openDeliveries, memory, keys };
  const copy = { ...state, ...structuredClone(changed) };
  const results: CreateRunResult[] = [];
  for (const run of runs) {
    const result = createRun(copy, owner, run);
    results.push(result);
    if (!isStorable(result)) return { isStored: false, results };
  }
  const created = runs.map((run) => createRun(state, owner, run));
  const newRuns = runs.map(({ runId }) => findRun(state, runId) as StoredRun);
  if (key !== null && request === undefined) storeRequest(state, newRuns, key);
  return { isStored: true, results: created };
}

export function advanceRun(state: State, owner: number, lease: Lease, turn: Turn): boolean {
  const run = findRun(state, lease.runId);
  if (run === undefined) return false;
  // The turn is stored already, and the caller missed the answer.
  if (run.epoch === lease.epoch && run.turns === lease.turns + 1) return true;
  if (!isCurrent(state, run, lease) || turn.steps.some((record) => hasEnded(run, record))) return false;
  if (turn.steps.some((record) => missesReply(run, record)) || !isMemoryCurrent(state, run.sinkId, turn.memory)) {
    release(run, state.clock());
    return false;
  }
  run.turns += 1;
  run.owner = owner;
  applyTurn(state, run, turn);
  insertDeliveries(state, owner, run, turn);
  writeMemory(state, run.sinkId, turn.memory);
  if (isTerminal(turn.status)) {
    cancelAwaited(state, run);
    leave(state, run);
  }
  // A delivery may have ended, or a reply come, while this turn was planned.
  else if (turn.status === 'waiting' && state.broken !== 'lost-wake-up' && resultsOf(run).length > 0) wake(state, run);
  return true;
}

export function cancelRun(state: State, runId: string): { cancelled: boolean; events: RunEvent[] } | null {
  const run = findRun(state, runId);
  if (run === undefined) return null;
  if (isTerminal(run.status)) return { cancelled: false, events: [] };
  endRun(state, run, 'cancelled', CANCELLED);
  return { cancelled: true, events: [{ seq: run.lastSeq, outcome: { status: 'cancelled', output: null, error: CANCELLED } }] };
}

/** Ends the run otherwise than by a turn of its own. */
export function endRun(state: State, run: StoredRun, status: RunStatus, error: RunError): void {
  run.epoch += 1;
  run.lastSeq += 1;
  Object.assign(run, { status, error, finishedAt: state.clock(), wakeAt: null, inputs: null });
  state.openRuns.delete(run);
  cancelAwaited(state, run);
  leave(state, run);
}

function isCurrent({ broken }: State, run: StoredRun, { epoch, turns }: Lease): boolean {
  if (broken === 'forgotten-fence') return !isTerminal(run.status);
  return run.epoch === epoch && run.turns === turns && !isTerminal(run.status);
}

const visitKey = ({ step, visit }: Pick<StepRecord, 'step' | 'visit'>): string => `${step} ${visit}`;

function hasEnded(run: StoredRun, record: StepRecord): boolean {
  const stored = run.steps.get(visitKey(record));
  return stored !== undefined && isDecided(stored.status);
}

function applyTurn(state: State, run: StoredRun, turn: Turn): void {
  const now = state.clock();
  const { status, progress, lastSeq, output, error } = turn;
  Object.assign(run, { status, progress, lastSeq, output, error, wakeAt: status === 'running' ? now + LEASE_MS : turn.wakeAt });
  run.events.push(...turn.events);
  for (const record of turn.steps) {
    const key = visitKey(record);
    run.steps.set(key, { ...record, type: run.steps.get(key)?.type ?? record.type });
  }
  if (status !== 'running') run.deaths = 0;
  if (!isTerminal(status)) return;
  run.finishedAt = turn.at;
  run.inputs = null;
  state.openRuns.delete(run);
}

function toStored({ turn, idempotency: _, ...run }: NewRun, runNumber: number, owner: number): StoredRun {
  const firstSteps = turn.steps.filter(({ finishedAt }) => finishedAt !== null);
  return {
    ...run,
    runNumber,
    owner,
    status: turn.status,
    progress: 0,
    output: null,
    error: null,
    finishedAt: null,
    wakeAt: null,
    epoch: FIRST_EPOCH,
    turns: 1,
    deaths: 0,
    lastSeq: 0,
    events: [],
    steps: new Map(firstSteps.map((record) => [visitKey(record), record])),
    firstSteps: firstSteps.length,
    deliveries: [],
    replies: new Map(),
  };
}
