// Creates, claims, records and ends jobs in SQLite.

import type { Database } from 'better-sqlite3';
import { LEASE_MS } from '../../../leases/lease.ts';
import type { ClaimedJob, JobLease, JobProgress, NewJob } from '../../job-records.ts';
import { MAX_ENDED_JOBS, MAX_OPEN_JOBS } from '../../job-store.ts';
import type { Stamp } from '../stamp.ts';
import { type JobRow, jobs, packSettings, toJob } from './job-rows.ts';

export class JobWriter {
  readonly #sql: ReturnType<typeof prepareStatements>;

  constructor(database: Database) {
    this.#sql = prepareStatements(database);
  }

  createJob({ now, owner }: Stamp, job: NewJob): boolean {
    const { id, action, matched, createdAt } = job;
    if (this.#sql.isStored.get(id) === 1) return true;
    if ((this.#sql.countOpen.get() as number) >= MAX_OPEN_JOBS) return false;
    const state = { status: 'queued', position: null, replayed: 0, failed: 0, skipped: 0, last_error: null } as const;
    const settings = packSettings(job);
    this.#sql.insert({ id, action, settings, matched, ...state, created_at: createdAt, wake_at: now, owner, epoch: 0 });
    this.#sql.deleteExcess.run();
    return true;
  }

  claimJobs({ now, owner }: Stamp, limit: number): ClaimedJob[] {
    const due = this.#sql.selectDue.all(now, limit) as number[];
    return due.map((no) => {
      const row = this.#sql.claim.get(now + LEASE_MS, owner, no) as JobRow;
      return { lease: { id: row.id, epoch: row.epoch }, job: toJob(row) };
    });
  }

  recordJob({ now }: Stamp, { id, epoch }: JobLease, status: 'running' | 'queued' | 'completed', progress: JobProgress): boolean {
    const { position, replayed, failed, skipped, lastError } = progress;
    const wakeAt = status === 'completed' ? null : status === 'running' ? now + LEASE_MS : now;
    const finishedAt = status === 'completed' ? now : null;
    const error = lastError === null ? null : JSON.stringify(lastError);
    return this.#sql.record.run({ id, epoch, status, position, replayed, failed, skipped, error, wakeAt, finishedAt }).changes > 0;
  }

  cancelJob({ now }: Stamp, id: string): { cancelled: boolean } | null {
    if (this.#sql.cancel.run(now, id).changes > 0) return { cancelled: true };
    return this.#sql.isStored.get(id) === 1 ? { cancelled: false } : null;
  }

  nextJobDue(): number | null {
    return this.#sql.selectNext.get() as number | null;
  }
}

function prepareStatements(database: Database) {
  return {
    insert: jobs.insert(database),
    isStored: database.prepare('SELECT EXISTS (SELECT 1 FROM jobs WHERE id = ?)').pluck(),
    countOpen: database.prepare('SELECT count(*) FROM jobs WHERE finished_at IS NULL').pluck(),
    deleteExcess: database.prepare(
      `DELETE FROM jobs WHERE finished_at IS NOT NULL AND no <= (SELECT no FROM jobs WHERE finished_at IS NOT NULL
         ORDER BY no DESC LIMIT 1 OFFSET ${MAX_ENDED_JOBS})`,
    ),
    selectDue: database.prepare('SELECT no FROM jobs WHERE wake_at <= ? ORDER BY no LIMIT ?').pluck(),
    claim: database.prepare("UPDATE jobs SET status = 'running', epoch = epoch + 1, wake_at = ?, owner = ? WHERE no = ? RETURNING *"),
    record: database.prepare(
      `UPDATE jobs SET status = @status, position = @position, replayed = @replayed, failed = @failed, skipped = @skipped,
         last_error = @error, deaths = 0, wake_at = @wakeAt, finished_at = coalesce(finished_at, @finishedAt)
       WHERE id = @id AND epoch = @epoch AND status IN ('running', @status)`,
    ),
    cancel: database.prepare(
      "UPDATE jobs SET status = 'cancelled', wake_at = NULL, finished_at = ?, epoch = epoch + 1 WHERE id = ? AND finished_at IS NULL",
    ),
    selectNext: database.prepare('SELECT min(wake_at) FROM jobs').pluck(),
  };
}
