// Rows of jobs, and their conversion to records.

import type { JobProgress, JobRecord, JobStatus, NewJob } from '../../job-records.ts';
import { given, preset, type Row, table } from '../table.ts';

export const jobs = table('jobs').columns({
  no: preset<number>(),
  id: given<string>(),
  action: given<NewJob['action']>(),
  status: given<JobStatus>(),
  settings: given<string>(),
  matched: given<number>(),
  position: given<string | null>(),
  replayed: given<number>(),
  failed: given<number>(),
  skipped: given<number>(),
  last_error: given<string | null>(),
  created_at: given<number>(),
  finished_at: preset<number | null>(),
  wake_at: given<number | null>(),
  owner: given<number>(),
  epoch: given<number>(),
  deaths: preset<number>(),
});

export type JobRow = Row<typeof jobs>;

/** The part of a job that never changes and that no query reads. */
type Settings = Pick<NewJob, 'runs' | 'mode' | 'version' | 'ratePerSecond'>;

export function packSettings({ runs, mode, version, ratePerSecond }: NewJob): string {
  return JSON.stringify({ runs, mode, version, ratePerSecond } satisfies Settings);
}

export function toJob(row: JobRow): JobRecord {
  return {
    id: row.id,
    action: row.action,
    status: row.status,
    ...(JSON.parse(row.settings) as Settings),
    matched: row.matched,
    position: row.position,
    replayed: row.replayed,
    failed: row.failed,
    skipped: row.skipped,
    lastError: row.last_error === null ? null : (JSON.parse(row.last_error) as JobProgress['lastError']),
    createdAt: row.created_at,
    finishedAt: row.finished_at,
  };
}
