// Storage contract: of several owners exactly one works on a job at a time.

import { describe, expect, test } from 'vitest';
import { NOW, type Owners } from '../workbench.ts';
import { endAllJobs, newJob, progressOf } from './jobs.ts';

export function sharedJobsContract({ one, other, open }: Owners): void {
  describe('jobs of several owners', () => {
    test('are claimed by exactly one of them, also in the same moment', async () => {
      one().at(NOW);
      const jobs = Array.from({ length: 20 }, () => newJob());
      for (const job of jobs) await one().storage.createJob(job);
      const owners = [one(), other()];
      const claims = await Promise.all(
        jobs.flatMap(() => owners.map(async ({ storage }) => (await storage.claimJobs(1)).map(({ job }) => job.id))),
      );
      expect(claims.flat().sort()).toEqual(jobs.map(({ id }) => id).sort());
      await endAllJobs(one());
    });

    test('pass to another owner once the lease is over, and the first one is told that its lease is stale', async () => {
      one().at(NOW);
      await one().storage.createJob(newJob());
      const [first] = await one().storage.claimJobs(1);
      expect(await other().storage.claimJobs(1)).toEqual([]);
      const [second] = await other()
        .at(NOW + 15_000)
        .claimJobs(1);
      expect(second?.job.id).toBe(first?.job.id);
      expect(await one().storage.recordJob(first?.lease as never, 'completed', progressOf())).toBe(false);
      expect(await other().storage.recordJob(second?.lease as never, 'completed', progressOf({ replayed: 4 }))).toBe(true);
      expect(await one().storage.getJob(first?.job.id as string)).toMatchObject({ status: 'completed', replayed: 4 });
    });

    test('are due at once when their owner is dead', async () => {
      const { storage } = await open();
      one().at(NOW);
      await storage.createJob(newJob());
      const [claimed] = await storage.claimJobs(1);
      await storage.close();
      await one().storage.reapOwners();
      expect(await one().storage.claimJobs(1)).toMatchObject([{ job: { id: claimed?.job.id } }]);
      await endAllJobs(one());
    });
  });
}
