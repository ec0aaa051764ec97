// Storage contract: jobs are created once, claimed by one owner, recorded under a current lease, and end once.

import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { JobProgress, NewJob, RunSelection } from '../../../../src/storage/job-records.ts';
import { MAX_OPEN_JOBS } from '../../../../src/storage/job-store.ts';
import { completedTurn, NOW, type Workbench } from '../workbench.ts';

const LEASE_MS = 15_000;

export function newJob(fields: Partial<NewJob> = {}): NewJob {
  const runs: RunSelection = { upTo: null, endedBy: NOW };
  const order = { action: 'replay', mode: 'live', version: 'current', ratePerSecond: 20 } as const;
  return { id: `job_${randomUUID()}`, runs, ...order, matched: 0, createdAt: NOW, ...fields };
}

export function progressOf(fields: Partial<JobProgress> = {}): JobProgress {
  return { position: null, replayed: 0, failed: 0, skipped: 0, lastError: null, ...fields };
}

/** Ends all jobs, so that a later test claims its own only. */
export async function endAllJobs({ storage }: Workbench): Promise<void> {
  for (const { id, finishedAt } of await storage.listJobs({ limit: 10_000 })) if (finishedAt === null) await storage.cancelJob(id);
}

export function jobsContract(workbench: () => Workbench): void {
  const at: Workbench['at'] = (ms) => workbench().at(ms);

  describe('jobs', () => {
    test('are stored once, due at once, and read as they were given', async () => {
      const storage = at(NOW);
      const job = newJob({ runs: { appId: 'a', status: 'failed', since: 1, upTo: null, endedBy: 5 }, mode: 'dry', matched: 7 });
      expect(await storage.nextJobDue()).toBeNull();
      expect(await storage.createJob(job)).toBe(true);
      expect(await storage.createJob(job)).toBe(true);
      expect(await storage.nextJobDue()).toBe(NOW);
      const stored = { ...job, ...progressOf(), status: 'queued', finishedAt: null };
      expect(await storage.getJob(job.id)).toEqual(stored);
      expect(await storage.listJobs({ limit: 1 })).toEqual([{ ...stored, place: expect.any(Number) }]);
      expect(await storage.getJob('job_none')).toBeNull();
      await endAllJobs(workbench());
    });

    test('are listed newest first, page by page and by status', async () => {
      const storage = at(NOW);
      const jobs = [newJob(), newJob(), newJob()];
      for (const job of jobs) await storage.createJob(job);
      await storage.cancelJob(jobs[1]?.id as string);
      const [first, second] = await storage.listJobs({ limit: 2 });
      expect([first?.id, second?.id]).toEqual([jobs[2]?.id, jobs[1]?.id]);
      expect(await storage.listJobs({ limit: 1, before: second?.place as number })).toMatchObject([{ id: jobs[0]?.id }]);
      expect((await storage.listJobs({ limit: 9, status: 'queued' })).map(({ id }) => id)).toEqual([jobs[2]?.id, jobs[0]?.id]);
      await endAllJobs(workbench());
    });

    test('are claimed the oldest first, up to the limit, and again once the lease is over', async () => {
      const storage = at(NOW);
      const jobs = [newJob(), newJob()];
      for (const job of jobs) await storage.createJob(job);
      const [first, ...none] = await storage.claimJobs(1);
      expect(none).toEqual([]);
      expect(first).toMatchObject({ job: { id: jobs[0]?.id, status: 'running' } });
      expect(await storage.claimJobs(9)).toMatchObject([{ job: { id: jobs[1]?.id } }]);
      expect(await storage.claimJobs(9)).toEqual([]);
      expect(await storage.nextJobDue()).toBe(NOW + LEASE_MS);
      const lease = first?.lease as { id: string; epoch: number };
      expect(await at(NOW + LEASE_MS - 1).recordJob(lease, 'running', progressOf({ replayed: 1 }))).toBe(true);
      const again = await at(NOW + LEASE_MS).claimJobs(9);
      expect(again.map(({ job }) => job.id)).toEqual([jobs[1]?.id]);
      const renewed = await at(NOW + 2 * LEASE_MS).claimJobs(1);
      expect(renewed).toMatchObject([{ lease: { id: lease.id, epoch: lease.epoch + 1 }, job: { replayed: 1 } }]);
      for (const status of ['running', 'queued', 'completed'] as const)
        expect(await storage.recordJob(lease, status, progressOf({ replayed: 9 }))).toBe(false);
      expect(await storage.getJob(lease.id)).toMatchObject({ status: 'running', replayed: 1 });
      await endAllJobs(workbench());
    });

    test('are released and end, and the same call again has the same result', async () => {
      const storage = at(NOW);
      const job = newJob();
      await storage.createJob(job);
      const [claimed] = await storage.claimJobs(1);
      const lastError = { runId: 'run_x', code: 'conflict', message: 'no' };
      const progress = progressOf({ position: 'run_y', replayed: 2, failed: 1, skipped: 3, lastError });
      for (let call = 0; call < 2; call += 1) expect(await storage.recordJob(claimed?.lease as never, 'queued', progress)).toBe(true);
      expect(await storage.getJob(job.id)).toMatchObject({ status: 'queued', ...progress, finishedAt: null });
      const [again] = await at(NOW + 1).claimJobs(1);
      expect(again?.job).toMatchObject(progress);
      for (let call = 0; call < 2; call += 1)
        expect(await at(NOW + 2 + call).recordJob(again?.lease as never, 'completed', progress)).toBe(true);
      expect(await storage.getJob(job.id)).toMatchObject({ status: 'completed', ...progress, finishedAt: NOW + 2 });
      expect(await storage.cancelJob(job.id)).toEqual({ cancelled: false });
      expect(await at(NOW + 10 * LEASE_MS).claimJobs(9)).toEqual([]);
      expect(await storage.recordJob(again?.lease as never, 'running', progressOf())).toBe(false);
    });

    test('are cancelled, and the lease is stale then', async () => {
      const storage = at(NOW);
      const job = newJob();
      await storage.createJob(job);
      const [claimed] = await storage.claimJobs(1);
      expect(await at(NOW + 3).cancelJob(job.id)).toEqual({ cancelled: true });
      expect(await storage.cancelJob(job.id)).toEqual({ cancelled: false });
      expect(await storage.recordJob(claimed?.lease as never, 'completed', progressOf({ replayed: 5 }))).toBe(false);
      expect(await storage.getJob(job.id)).toMatchObject({ status: 'cancelled', replayed: 0, finishedAt: NOW + 3 });
      expect(await storage.cancelJob('job_none')).toBeNull();
    });

    test('are due at once when their owner is recovered', async () => {
      const storage = at(NOW);
      await storage.createJob(newJob());
      const [claimed] = await storage.claimJobs(1);
      await workbench().recover(NOW + 1);
      expect(await storage.recordJob(claimed?.lease as never, 'running', progressOf())).toBe(false);
      expect(await storage.claimJobs(1)).toMatchObject([{ job: { id: claimed?.job.id } }]);
      await endAllJobs(workbench());
    });

    test('end as failed after three deaths of their process, unless they were recorded in between', async () => {
      const storage = at(NOW);
      const job = newJob();
      await storage.createJob(job);
      const progress = progressOf({ position: 'run_y', replayed: 2 });
      for (let death = 1; death <= 2; death += 1) {
        await storage.claimJobs(1);
        await workbench().recover(NOW);
      }
      const [claimed] = await storage.claimJobs(1);
      expect(await storage.recordJob(claimed?.lease as never, 'running', progress)).toBe(true);
      for (let death = 1; death <= 3; death += 1) {
        expect(await storage.getJob(job.id)).toMatchObject({ finishedAt: null });
        await workbench().recover(NOW);
        await storage.claimJobs(1);
      }
      const lastError = { runId: 'run_y', code: 'poisoned', message: expect.stringContaining('died three times') };
      expect(await storage.getJob(job.id)).toMatchObject({ ...progress, status: 'failed', finishedAt: NOW, lastError });
      expect(await storage.nextJobDue()).toBeNull();
    });

    test('are refused beyond a number that have not ended, and removed once they ended before the age limit', async () => {
      const storage = at(NOW);
      const jobs = Array.from({ length: MAX_OPEN_JOBS }, () => newJob());
      for (const job of jobs) expect(await storage.createJob(job)).toBe(true);
      expect(await storage.createJob(newJob())).toBe(false);
      expect(await storage.createJob(jobs[0] as NewJob)).toBe(true);
      await storage.cancelJob(jobs[0]?.id as string);
      const another = newJob();
      expect(await storage.createJob(another)).toBe(true);
      await at(NOW + 5).cancelJob(another.id);
      await at(NOW + 10).pruneRuns({ before: NOW + 5, maxBytes: null, limit: 10 });
      expect(await storage.getJob(jobs[0]?.id as string)).toBeNull();
      expect(await storage.getJob(another.id)).not.toBeNull();
      expect(await storage.getJob(jobs[1]?.id as string)).toMatchObject({ status: 'queued' });
      await endAllJobs(workbench());
    });
  });

  describe('the runs of a job', () => {
    test('are those that had ended, up to a run, by every filter, the oldest first and page by page', async () => {
      const { storage, addSink, addRun } = workbench();
      const sink = await addSink();
      const other = await addSink();
      const run = async (of: typeof sink, createdAt: number, turn: object): Promise<string> =>
        (await addRun(of, { createdAt, turn })).runId;
      const done = completedTurn(1, { at: NOW + 50 });
      const failed = { ...done, status: 'failed' as const, error: { code: 'x', message: 'x' }, output: null };
      const ids = [
        await run(sink, NOW, done),
        await run(sink, NOW + 10, failed),
        await run(other, NOW + 20, done),
        await run(sink, NOW + 30, done),
      ];
      await run(sink, NOW + 31, { wakeAt: NOW + 10_000 });
      await run(sink, NOW + 32, { ...done, at: NOW + 99 });
      const last = await run(sink, NOW + 33, done);
      const later = await run(sink, NOW + 40, done);
      const selection: RunSelection = { sinkId: sink.id, upTo: last, endedBy: NOW + 50 };
      const idsOf = async (...of: Parameters<typeof storage.listSelectedRuns>): Promise<string[]> =>
        (await storage.listSelectedRuns(...of)).map(({ runId }) => runId);
      expect(await storage.listSelectedRuns({ ...selection }, null, 1)).toEqual([{ runId: ids[0], bytes: 20 }]);
      const select = async (fields: Partial<RunSelection>): Promise<string[]> => {
        const selected = await idsOf({ ...selection, ...fields }, null, 100);
        expect(await storage.countSelectedRuns({ ...selection, ...fields })).toBe(selected.length);
        return selected;
      };
      const ofSink = [ids[0], ids[1], ids[3], last];
      expect(await select({})).toEqual(ofSink);
      expect(await select({ upTo: later })).toEqual([...ofSink, later]);
      expect(await select({ status: 'failed' })).toEqual([ids[1]]);
      expect(await select({ appId: other.appId })).toEqual([]);
      expect(await select({ since: NOW + 10, until: NOW + 33 })).toEqual([ids[1], ids[3]]);
      expect(await select({ endedBy: NOW + 49 })).toEqual([]);
      expect(await select({ upTo: null })).toEqual([]);
      expect(await idsOf(selection, ids[1] as string, 1)).toEqual([ids[3]]);
      expect(await idsOf(selection, last, 9)).toEqual([]);
      const { sinkId: _, ...all } = selection;
      expect(await idsOf({ ...all, appId: other.appId }, null, 9)).toEqual([ids[2]]);
    });

    test('and their replays keep what they replay', async () => {
      const { storage, addSink, addRun } = workbench();
      const replay = { of: 'run_x', mode: 'dry', jobId: 'job_x' } as const;
      const { runId } = await addRun(await addSink(), { replay });
      expect(await storage.getRun(runId)).toMatchObject({ replay });
      expect(await storage.getOutcome(runId)).toMatchObject({ replay });
      expect((await storage.listRuns({ limit: 1, after: `${runId.slice(0, 4)}zzzzzzzzzz0${runId.slice(15)}` }))[0]).toHaveProperty(
        'replay',
      );
      const [claimed] = await at(NOW).claimDueRuns({ limit: 1000, maxWeight: Number.POSITIVE_INFINITY, takesAlone: true });
      expect(claimed).toMatchObject({ lease: { runId }, replay });
    });
  });
}
