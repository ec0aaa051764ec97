// Presents jobs, and the runs that are replays, in the API.

import type { Replay } from '../../../core/run/replay.ts';
import type { JobRecord } from '../../../storage/job-records.ts';

const iso = (ms: number): string => new Date(ms).toISOString();

/** The fields of a run that is a replay. */
export function presentReplay(replay: Replay | null): { replay?: { of: string; mode: string; job_id?: string } } {
  if (replay === null) return {};
  const { of, mode, jobId } = replay;
  return { replay: { of, mode, ...(jobId === null ? {} : { job_id: jobId }) } };
}

export function presentJob(job: JobRecord): object {
  const { appId, sinkId, status, since, until } = job.runs;
  const filter = {
    app_id: appId,
    sink_id: sinkId,
    status,
    since: since === undefined ? undefined : iso(since),
    until: until === undefined ? undefined : iso(until),
  };
  return {
    job_id: job.id,
    action: job.action,
    status: job.status,
    filter: Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)),
    mode: job.mode,
    version: job.version,
    rate_per_second: job.ratePerSecond,
    matched: job.matched,
    replayed: job.replayed,
    failed: job.failed,
    skipped: job.skipped,
    position: job.position,
    last_error: job.lastError === null ? null : { run_id: job.lastError.runId, code: job.lastError.code, message: job.lastError.message },
    created_at: iso(job.createdAt),
    finished_at: job.finishedAt === null ? null : iso(job.finishedAt),
  };
}
