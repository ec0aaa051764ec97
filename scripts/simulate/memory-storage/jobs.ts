// Jobs, and the runs that they select.

import { POISONED_JOB } from '../../../src/core/run/replay.ts';
import { isTerminal } from '../../../src/core/run/run.ts';
import { parseRunId, runNumberAt } from '../../../src/core/run/run-id.ts';
import { LEASE_MS } from '../../../src/leases/lease.ts';
import type {
  ClaimedJob,
  JobFilter,
  JobLease,
  JobProgress,
  JobRecord,
  ListedJob,
  NewJob,
  RunSelection,
  SelectedRun,
} from '../../../src/storage/job-records.ts';
import { MAX_ENDED_JOBS, MAX_OPEN_JOBS } from '../../../src/storage/job-store.ts';
import { storedBytes } from './runs/run-reads.ts';
import type { State } from './state.ts';

const MAX_DEATHS = 3;

export interface StoredJob {
  readonly place: number;
  job: JobRecord;
  wakeAt: number | null;
  owner: number;
  epoch: number;
  deaths: number;
}

export function createJob(state: State, job: NewJob): boolean {
  if (state.jobs.has(job.id)) return true;
  const stored = [...state.jobs.values()];
  const ended = stored.filter(({ wakeAt }) => wakeAt === null);
  if (stored.length - ended.length >= MAX_OPEN_JOBS) return false;
  for (const { job: old } of ended.slice(0, -MAX_ENDED_JOBS)) state.jobs.delete(old.id);
  state.lastJob += 1;
  const progress = { position: null, replayed: 0, failed: 0, skipped: 0, lastError: null };
  const record: JobRecord = { ...job, ...progress, status: 'queued', finishedAt: null };
  state.jobs.set(job.id, { place: state.lastJob, job: record, wakeAt: state.clock(), owner: 0, epoch: 0, deaths: 0 });
  return true;
}

export function claimJobs(state: State, owner: number, limit: number): ClaimedJob[] {
  const now = state.clock();
  const due = [...state.jobs.values()].filter(({ wakeAt }) => wakeAt !== null && wakeAt <= now).slice(0, limit);
  return due.map((stored) => {
    Object.assign(stored, { owner, epoch: stored.epoch + 1, wakeAt: now + LEASE_MS, job: { ...stored.job, status: 'running' } });
    return { lease: { id: stored.job.id, epoch: stored.epoch }, job: stored.job };
  });
}

export function recordJob(
  state: State,
  { id, epoch }: JobLease,
  status: 'running' | 'queued' | 'completed',
  progress: JobProgress,
): boolean {
  const stored = state.jobs.get(id);
  if (stored?.epoch !== epoch || (stored.job.status !== 'running' && stored.job.status !== status)) return false;
  const now = state.clock();
  const isEnd = status === 'completed';
  stored.deaths = 0;
  stored.wakeAt = isEnd ? null : status === 'running' ? now + LEASE_MS : now;
  stored.job = { ...stored.job, ...progress, status, finishedAt: stored.job.finishedAt ?? (isEnd ? now : null) };
  return true;
}

export function cancelJob(state: State, id: string): { cancelled: boolean } | null {
  const stored = state.jobs.get(id);
  if (stored === undefined) return null;
  if (stored.wakeAt === null) return { cancelled: false };
  Object.assign(stored, { wakeAt: null, epoch: stored.epoch + 1 });
  stored.job = { ...stored.job, status: 'cancelled', finishedAt: state.clock() };
  return { cancelled: true };
}

export function releaseJobs(state: State, isDead: (owner: number) => boolean): void {
  for (const stored of state.jobs.values()) {
    if (stored.job.status !== 'running' || !isDead(stored.owner)) continue;
    const { job, epoch, deaths } = stored;
    Object.assign(stored, { wakeAt: state.clock(), epoch: epoch + 1, deaths: deaths + 1, job: { ...job, status: 'queued' } });
    if (stored.deaths < MAX_DEATHS) continue;
    stored.wakeAt = null;
    stored.job = { ...job, status: 'failed', finishedAt: state.clock(), lastError: { runId: job.position, ...POISONED_JOB } };
  }
}

export function removeOldJobs(state: State, before: number): void {
  for (const [id, { job }] of state.jobs) if (job.finishedAt !== null && job.finishedAt < before) state.jobs.delete(id);
}

export function nextJobDue(state: State): number | null {
  const due = [...state.jobs.values()].flatMap(({ wakeAt }) => wakeAt ?? []);
  return due.length === 0 ? null : Math.min(...due);
}

export function listJobs(state: State, { status, limit, before = Number.MAX_SAFE_INTEGER }: JobFilter): ListedJob[] {
  return [...state.jobs.values()]
    .filter(({ place, job }) => place < before && job.status === (status ?? job.status))
    .sort((a, b) => b.place - a.place)
    .slice(0, limit)
    .map(({ place, job }) => ({ ...job, place }));
}

export function selectedRuns(
  state: State,
  { appId, sinkId, status, since = 0, until, upTo, endedBy }: RunSelection,
  after: string | null,
): SelectedRun[] {
  const last = upTo === null ? -1 : (parseRunId(upTo)?.runNumber ?? -1);
  const from = Math.max(runNumberAt(since), (after === null ? -1 : (parseRunId(after)?.runNumber ?? -1)) + 1);
  const before = until === undefined ? Number.MAX_SAFE_INTEGER : runNumberAt(until);
  return [...state.runs.values()]
    .filter(({ runNumber }) => runNumber >= from && runNumber <= last && runNumber < before)
    .filter((run) => run.appId === (appId ?? run.appId) && run.sinkId === (sinkId ?? run.sinkId) && run.status === (status ?? run.status))
    .filter(({ status: ended, finishedAt }) => isTerminal(ended) && finishedAt !== null && finishedAt <= endedBy)
    .sort((a, b) => a.runNumber - b.runNumber)
    .map((run) => ({ runId: run.runId, bytes: storedBytes(run) + (run.output?.length ?? 0) }));
}
