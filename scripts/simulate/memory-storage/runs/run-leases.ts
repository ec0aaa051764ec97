// Leases of runs: claims due runs, renews and releases their leases, and recovers the runs of dead owners.

import { isItem, visitsToResume } from '../../../../src/core/run/item-visits.ts';
import { isAnswer } from '../../../../src/core/run/run-answer.ts';
import { POISONED } from '../../../../src/core/run/run-event.ts';
import { LARGE_RUN_BYTES, runWeight } from '../../../../src/core/run/run-weight.ts';
import { LEASE_MS } from '../../../../src/leases/lease.ts';
import type { ClaimedRun, Lease, Recovery, RunClaimLimit, StepRecord } from '../../../../src/storage/runs/run-records.ts';
import { resultsOf } from '../deliveries/deliveries.ts';
import { recoverDeliveries } from '../deliveries/delivery-leases.ts';
import { releaseJobs } from '../jobs.ts';
import type { StoredRun } from '../records.ts';
import { findRun, type State } from '../state.ts';
import { mayClaim } from './flow-control.ts';
import { release } from './make-due.ts';
import { storedBytes } from './run-reads.ts';
import { endRun } from './write-runs.ts';

/** A run at which this many processes have died ends as failed. */
const MAX_DEATHS = 3;

export function claimDueRuns(state: State, owner: number, limits: RunClaimLimit): ClaimedRun[] {
  const leaseUntil = state.clock() + LEASE_MS;
  const due = selectDue(state, limits).filter((run) => run.flowKey === null || mayClaim(state, run));
  return due.map((run) => {
    run.status = 'running';
    run.epoch += 1;
    run.wakeAt = leaseUntil;
    run.owner = owner;
    return toClaimed(state, run);
  });
}

export function renewLeases(state: State, leases: readonly Lease[]): string[] {
  const leaseUntil = state.clock() + LEASE_MS;
  return leases.flatMap((lease) => {
    const run = findLeased(state, lease);
    if (run === undefined) return [lease.runId];
    run.wakeAt = leaseUntil;
    return [];
  });
}

export function releaseRun(state: State, lease: Lease, delayMs: number): void {
  const run = findLeased(state, lease);
  if (run !== undefined) release(run, state.clock() + delayMs);
}

export function recoverRuns(state: State, isDead: (owner: number) => boolean): Recovery {
  recoverDeliveries(state, isDead);
  releaseJobs(state, isDead);
  const left = [...state.openRuns].filter((run) => run.status === 'running' && isDead(run.owner));
  const poisoned: string[] = [];
  for (const run of left) {
    run.deaths += 1;
    release(run, state.clock());
    if (run.deaths < MAX_DEATHS) continue;
    endRun(state, run, 'failed', POISONED);
    poisoned.push(run.runId);
  }
  return { recovered: left.length - poisoned.length, poisoned };
}

export function nextWake({ openRuns }: State): number | null {
  let nearest: number | null = null;
  for (const { wakeAt } of openRuns) if (wakeAt !== null && (nearest === null || wakeAt < nearest)) nearest = wakeAt;
  return nearest;
}

const byWakeTime = (a: StoredRun, b: StoredRun): number => (a.wakeAt as number) - (b.wakeAt as number) || a.runNumber - b.runNumber;

function selectDue(state: State, { limit, maxWeight, takesAlone }: RunClaimLimit): StoredRun[] {
  const now = state.clock();
  const due: StoredRun[] = [];
  for (const run of state.openRuns) if (isDue(state, run, now)) due.push(run);
  const claims: StoredRun[] = [];
  let weight = 0;
  let mayTakeAlone = takesAlone;
  for (const run of due.sort(byWakeTime)) {
    if (claims.length >= limit) break;
    const bytes = storedBytes(run);
    const isAlone = bytes > LARGE_RUN_BYTES || run.deaths > 1;
    if (isAlone && !mayTakeAlone) continue;
    if (isAlone) mayTakeAlone = false;
    else if (weight + runWeight(bytes) > maxWeight) break;
    else weight += runWeight(bytes);
    claims.push(run);
  }
  return claims;
}

function isDue({ broken }: State, { status, wakeAt }: StoredRun, now: number): boolean {
  if (broken === 'lease-check' && status === 'running') return true;
  return wakeAt !== null && wakeAt <= now;
}

function findLeased(state: State, { runId, epoch }: Lease): StoredRun | undefined {
  const run = findRun(state, runId);
  return run?.epoch === epoch && run.status === 'running' ? run : undefined;
}

const isOpen = ({ finishedAt }: StepRecord): boolean => finishedAt === null;

function toClaimed({ broken }: State, run: StoredRun): ClaimedRun {
  const { runId, epoch, turns, appId, sinkId, workflow, request, bodyKind, bodyCharset, body, inputs, replay } = run;
  const bytes = storedBytes(run);
  return {
    lease: { runId, epoch, turns },
    appId,
    sinkId,
    workflow,
    request,
    bodyKind,
    bodyCharset,
    body,
    inputs,
    replay,
    progress: run.progress,
    lastSeq: run.lastSeq,
    createdAt: run.createdAt,
    steps: visitsToResume([...run.steps.values()], isOpen).filter(({ step }) => broken !== 'lost-item' || !isItem(step)),
    isAnswered: [...run.steps.values()].some(isAnswer),
    results: resultsOf(run),
    hasFlow: run.flowKey !== null,
    bytes,
    isAlone: bytes > LARGE_RUN_BYTES || run.deaths > 1,
  };
}
