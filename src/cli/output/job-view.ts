// Formats jobs for people.

import type { JobInfo } from '../../client/wire/job-wire.ts';
import type { Io } from '../io.ts';
import { type Cell, printLine } from './output.ts';
import { timeOf } from './run-view.ts';

export const JOB_COLUMNS = ['JOB', 'STATUS', 'MODE', 'MATCHED', 'REPLAYED', 'FAILED', 'SKIPPED', 'CREATED'];

export function jobRow(job: JobInfo): Cell[] {
  return [job.job_id, job.status, job.mode, job.matched, job.replayed, job.failed, job.skipped, timeOf(job.created_at)];
}

export function printJob(io: Io, job: JobInfo): void {
  const { last_error: error, finished_at: finishedAt } = job;
  const facts: [string, string][] = [
    ['job', job.job_id],
    ['status', job.status],
    ['action', `${job.action}, ${job.mode}, ${job.version} version, ${job.rate_per_second} a second`],
    [
      'filter',
      Object.entries(job.filter)
        .map(([name, value]) => `${name} ${value}`)
        .join(', '),
    ],
    ['matched', String(job.matched)],
    ['replayed', String(job.replayed)],
    ['failed', String(job.failed)],
    ['skipped', String(job.skipped)],
    ['position', job.position ?? 'before the first run'],
    ...(error === null
      ? []
      : [['error', `${error.run_id ?? 'before the first run'}: ${error.message} (${error.code})`] as [string, string]]),
    ['created', timeOf(job.created_at)],
    ['finished', finishedAt === null ? 'not yet' : timeOf(finishedAt)],
  ];
  for (const [name, value] of facts) printLine(io, `${name.padEnd(10)}${value}`);
}
