// Reads jobs and the runs that they select from SQLite.

import type { Database } from 'better-sqlite3';
import { ENDED_STATUSES } from '../../../core/run/run.ts';
import { parseRunId, runNumberAt } from '../../../core/run/run-id.ts';
import type { JobFilter, JobRecord, ListedJob, RunSelection, SelectedRun } from '../../job-records.ts';
import { createRowsBySink, createSinkFilter } from '../definitions/rows-by-sink.ts';
import { toRunId } from '../runs/run-rows.ts';
import { type JobRow, toJob } from './job-rows.ts';

export class JobReader {
  readonly #sql: ReturnType<typeof prepareStatements>;
  readonly #oldestRuns: ReturnType<typeof createRowsBySink>;
  readonly #sinksOf: ReturnType<typeof createSinkFilter>;

  constructor(database: Database) {
    this.#sql = prepareStatements(database);
    this.#oldestRuns = createRowsBySink(database, { table: 'runs', key: 'id', order: 'oldest', where: 'finished_at <= ?' });
    this.#sinksOf = createSinkFilter(database);
  }

  getJob(id: string): JobRecord | null {
    const row = this.#sql.selectJob.get(id) as JobRow | undefined;
    return row === undefined ? null : toJob(row);
  }

  listJobs({
    status = null,
    limit,
    before = Number.MAX_SAFE_INTEGER,
  }: Omit<JobFilter, 'status'> & { status?: string | null }): ListedJob[] {
    const rows = this.#sql.selectJobs.all({ status, limit, before }) as JobRow[];
    return rows.map((row) => ({ ...toJob(row), place: row.no }));
  }

  listSelectedRuns(runs: RunSelection, after: string | null, limit: number): SelectedRun[] {
    const { statuses, from, before } = rangeOf(runs);
    const next = after === null ? from : Math.max(from, (parseRunId(after)?.runNumber ?? 0) + 1);
    const values = [runs.endedBy];
    const numbers = this.#oldestRuns({ sinks: this.#sinksOf(runs), statuses, from: next, before, values, limit });
    const rows = this.#sql.selectSizes.all(JSON.stringify(numbers)) as { run_number: number; nonce: string; bytes: number }[];
    return rows.map((row) => ({ runId: toRunId(row), bytes: row.bytes }));
  }

  countSelectedRuns(runs: RunSelection): number {
    const { statuses, from, before } = rangeOf(runs);
    let count = 0;
    for (const sink of this.#sinksOf(runs))
      for (const status of statuses) count += this.#sql.countRuns.get(sink, status, from, before, runs.endedBy) as number;
    return count;
  }
}

/** The statuses and run numbers of a selection: from, inclusive, and before, exclusive. */
function rangeOf({ status, since, until, upTo }: RunSelection): { statuses: readonly string[]; from: number; before: number } {
  const newest = upTo === null ? -1 : (parseRunId(upTo)?.runNumber ?? -1);
  return {
    statuses: status === undefined ? ENDED_STATUSES : [status],
    from: since === undefined ? 0 : runNumberAt(since),
    before: Math.min(newest + 1, until === undefined ? Number.MAX_SAFE_INTEGER : runNumberAt(until)),
  };
}

function prepareStatements(database: Database) {
  return {
    selectJob: database.prepare('SELECT * FROM jobs WHERE id = ?'),
    selectJobs: database.prepare(
      'SELECT * FROM jobs WHERE no < @before AND (@status IS NULL OR status = @status) ORDER BY no DESC LIMIT @limit',
    ),
    selectSizes: database.prepare(
      `SELECT id AS run_number, nonce, octet_length(body) + octet_length(request) + coalesce(octet_length(output), 0)
         + coalesce(octet_length(first_steps), 0)
         + coalesce((SELECT sum(octet_length(outputs)) FROM step_records WHERE run_id = runs.id), 0) AS bytes
       FROM runs
       WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id`,
    ),
    countRuns: database
      .prepare('SELECT count(*) FROM runs WHERE sink_no = ? AND status = ? AND id >= ? AND id < ? AND finished_at <= ?')
      .pluck(),
  };
}
