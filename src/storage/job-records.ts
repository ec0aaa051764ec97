// Records of jobs: replays of many runs, which proceed at a rate and survive their process.

import type { JOB_STATUSES, ReplayMode, ReplayVersion } from '../core/run/replay.ts';
import type { ENDED_STATUSES } from '../core/run/run.ts';

export type JobStatus = (typeof JOB_STATUSES)[number];

/** Ended runs. It always selects the same ones, except those that retention removes. */
export interface RunSelection {
  appId?: string;
  sinkId?: string;
  /** Absent: all ended runs. */
  status?: (typeof ENDED_STATUSES)[number];
  /** Created at or after this time. */
  since?: number;
  /** Created before this time. */
  until?: number;
  /** The id of the newest run that it may contain. Null: it contains none. */
  upTo: string | null;
  /** Only runs that ended at this time or before. */
  endedBy: number;
}

export interface SelectedRun {
  runId: string;
  /** Of its request and its outputs, about. */
  bytes: number;
}

export interface NewJob {
  /** Unlike that of every other job. */
  id: string;
  action: 'replay';
  runs: RunSelection;
  mode: ReplayMode;
  version: ReplayVersion;
  ratePerSecond: number;
  /** The number of selected runs. */
  matched: number;
  createdAt: number;
}

export interface JobProgress {
  /** The id of the last run that is done. All older selected runs are done too. Null: none is. */
  position: string | null;
  replayed: number;
  failed: number;
  skipped: number;
  /** The last run that was not replayed. Null: there is none. `runId` is null before the first run. */
  lastError: { runId: string | null; code: string; message: string } | null;
}

export interface JobRecord extends NewJob, JobProgress {
  status: JobStatus;
  finishedAt: number | null;
}

export interface ListedJob extends JobRecord {
  /** Grows with time. Pass it as `before` to get the next page. */
  place: number;
}

/** The right to proceed with a job. It is stale once the job has been claimed again or has ended. */
export interface JobLease {
  id: string;
  epoch: number;
}

export interface ClaimedJob {
  lease: JobLease;
  job: JobRecord;
}

export interface JobFilter {
  status?: JobStatus;
  limit: number;
  /** Place of the last job on the previous page. */
  before?: number;
}
