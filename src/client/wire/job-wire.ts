// Wire types of replays: of one run, and of many as a job.

import type { Time } from './wire-types.ts';

export interface ReplayOptions {
  /** `live` by default. */
  mode?: 'live' | 'dry' | 'from_failed_step';
  /** By default `original` with `from_failed_step`, else `current`. */
  version?: 'current' | 'original';
}

export interface RunReplayOptions extends ReplayOptions {
  /** With the mode `dry`: the workflow of the app that runs instead of the sink's. */
  workflow_id?: string;
}

export interface StartedReplay {
  run_id: string;
  status: string;
  replay_of: string;
  mode: string;
}

/** Selects ended runs. At least one member is needed. */
export interface ReplayFilter {
  app_id?: string;
  sink_id?: string;
  status?: string;
  since?: Time;
  until?: Time;
}

export interface ReplayJobOrder extends ReplayOptions {
  filter: ReplayFilter;
  /** 1 to 1,000; 20 by default. */
  rate_per_second?: number;
}

export type JobStatus = 'queued' | 'running' | 'completed' | 'failed' | 'cancelled';

export interface JobInfo {
  job_id: string;
  action: 'replay';
  status: JobStatus;
  filter: ReplayFilter;
  mode: string;
  version: string;
  rate_per_second: number;
  /** Runs that matched when the job was created. */
  matched: number;
  replayed: number;
  /** Runs whose replay was refused, and runs that cannot be replayed so. */
  failed: number;
  skipped: number;
  /** The last run that is done, from the oldest to the newest. */
  position: string | null;
  last_error: { run_id: string | null; code: string; message: string } | null;
  created_at: Time;
  finished_at: Time | null;
}
