// The storage of jobs: created, claimed, recorded, cancelled and read. A lease of a job is as one of a run.

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
} from './job-records.ts';

/** Jobs that have not ended. */
export const MAX_OPEN_JOBS = 100;
/** Jobs that have ended: older ones are removed. */
export const MAX_ENDED_JOBS = 1000;

export interface JobStore {
  /**
   * Stores a job, due at once.
   * The same call again has the same result, as long as the job is stored.
   * False: nothing is stored, because MAX_OPEN_JOBS have not ended.
   */
  createJob(job: NewJob): Promise<boolean>;
  /** Claims due jobs, the oldest first. Each gets the next epoch and a lease of this owner. */
  claimJobs(limit: number): Promise<ClaimedJob[]>;
  /**
   * Stores how far a job is. `running` renews the lease, `queued` makes the job due at once for any claim, `completed` ends it.
   * The same call again has the same result.
   * False: nothing is stored, because the lease is stale.
   */
  recordJob(lease: JobLease, status: 'running' | 'queued' | 'completed', progress: JobProgress): Promise<boolean>;
  /** Ends a job as cancelled. `cancelled: false`: it has ended already. Null: there is no such job. */
  cancelJob(id: string): Promise<{ cancelled: boolean } | null>;
  /** Returns when the next job is due, or the next lease ends. Null: all have ended. */
  nextJobDue(): Promise<number | null>;
  /** Null: there is none. */
  getJob(id: string): Promise<JobRecord | null>;
  /** Returns one page, newest first. */
  listJobs(filter: JobFilter): Promise<ListedJob[]>;
  /** Returns selected runs that come after the run `after`, oldest first. Null: from the first one. */
  listSelectedRuns(runs: RunSelection, after: string | null, limit: number): Promise<SelectedRun[]>;
  countSelectedRuns(runs: RunSelection): Promise<number>;
}
