// Reads what there is to see of runs from SQLite. SQLite measures and cuts what may be large, so that it never leaves this thread.

import type { Database } from 'better-sqlite3';
import type { FileHandle } from '../../../core/run/request.ts';
import { MESSAGE_CHARACTERS } from '../../../core/run/run.ts';
import { parseRunId } from '../../../core/run/run-id.ts';
import type { RunHead, StepOutline, StepPage } from '../../runs/part-store.ts';
import type { runs } from '../runs/run-columns.ts';
import { RUN_TABLES, SUMMARY_COLUMNS, type SummaryRow, toError, toRunSummary } from '../runs/run-rows.ts';
import type { stepRecords } from '../runs/step-columns.ts';
import type { Row } from '../table.ts';
import { FIRST_STEPS, member } from './first-steps.ts';

type HeadRow = SummaryRow & Pick<Row<typeof runs>, 'request' | 'body_kind'> & Record<HeadCount, number> & Record<HeadSize, number | null>;
type HeadCount = 'body_size' | 'delivery_count' | 'file_count';
type HeadSize = 'output_size' | 'latest_version';

type StepColumn = 'step' | 'type' | 'visit' | 'status' | 'attempt' | 'error' | 'started_at' | 'finished_at' | 'due_at' | 'awaits';
type StepRow = Pick<Row<typeof stepRecords>, StepColumn> & { output_size: number | null };

interface FirstStepsRow {
  first_count: number;
  later_count: number;
  /** JSON. */
  steps: string;
}

/** As `first_steps` has them, with the size of the outputs in place of them. */
type FirstStep = [
  step: string,
  type: string,
  status: StepOutline['status'],
  attempt: number,
  startedAt: number | null,
  finishedAt: number | null,
  outputSize: number | null,
  error: StepOutline['error'],
  visit: number | null,
];

export class RunPartReader {
  readonly #sql: ReturnType<typeof prepareStatements>;

  constructor(database: Database) {
    this.#sql = prepareStatements(database);
  }

  getHead(runId: string): RunHead | null {
    const key = parseRunId(runId);
    const row = key && (this.#sql.selectHead.get(key.runNumber, key.nonce) as HeadRow | undefined);
    if (!row) return null;
    return {
      ...toRunSummary(row),
      outputSize: row.output_size,
      latestVersion: row.latest_version,
      request: row.request,
      bodyKind: row.body_kind,
      bodySize: row.body_size,
      deliveryCount: row.delivery_count,
      fileCount: row.file_count,
    };
  }

  listSteps(runId: string, from: number, limit: number): StepPage | null {
    const key = parseRunId(runId);
    const found = key && (this.#sql.selectFirstSteps.get({ ...key, from, to: from + limit }) as FirstStepsRow | undefined);
    if (!found) return null;
    const first = (JSON.parse(found.steps) as FirstStep[]).map(toFirstStep);
    const rest = { limit: limit - first.length, from: Math.max(0, from - found.first_count) };
    const later = rest.limit > 0 ? (this.#sql.selectLaterSteps.all(key.runNumber, rest.limit, rest.from) as StepRow[]) : [];
    return { steps: [...first, ...later.map(toOutline)], total: found.first_count + found.later_count };
  }

  listFiles(runId: string, from: number, limit: number): FileHandle[] | null {
    const key = parseRunId(runId);
    if (key === null || this.#sql.isStored.get(key.runNumber, key.nonce) !== 1) return null;
    return (this.#sql.selectFiles.all(key.runNumber, from, from + limit) as string[]).map((text) => JSON.parse(text) as FileHandle);
  }
}

function toFirstStep([step, type, status, attempt, startedAt, finishedAt, outputSize, error, visit]: FirstStep): StepOutline {
  return { step, type, visit: visit ?? 1, status, attempt, error, startedAt, finishedAt, dueAt: null, awaits: null, outputSize };
}

function toOutline(row: StepRow): StepOutline {
  return {
    step: row.step,
    type: row.type,
    visit: row.visit,
    status: row.status,
    attempt: row.attempt,
    error: toError(row.error),
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    dueAt: row.due_at,
    awaits: row.awaits,
    outputSize: row.output_size,
  };
}

/** The column, or one with a shorter message. */
function cutError(column: string): string {
  const message = `substr(${column} ->> '$.message', 1, ${MESSAGE_CHARACTERS})`;
  return `CASE WHEN octet_length(${column}) > ${MESSAGE_CHARACTERS} THEN json_set(${column}, '$.message', ${message}) ELSE ${column} END`;
}

function prepareStatements(database: Database) {
  return {
    selectHead: database.prepare(
      `SELECT ${SUMMARY_COLUMNS.replace('runs.error', `${cutError('runs.error')} AS error`)},
         octet_length(output) AS output_size, json_remove(request, '$.files', '$.payload', '$.batch') AS request,
         body_kind, octet_length(body) AS body_size,
         (SELECT count(*) FROM deliveries WHERE run_id = runs.id) AS delivery_count,
         coalesce(json_array_length(request, '$.files'), 0) AS file_count,
         (SELECT max(version) FROM workflows
          WHERE workflows.app_no = runs.app_no AND workflows.id = runs.workflow_id AND deleted_at IS NULL) AS latest_version
       FROM ${RUN_TABLES} WHERE runs.id = ? AND nonce = ?`,
    ),
    isStored: database.prepare('SELECT EXISTS (SELECT 1 FROM runs WHERE id = ? AND nonce = ?)').pluck(),
    selectFirstSteps: database.prepare(
      `SELECT coalesce(json_array_length(first_steps), 0) AS first_count,
         (SELECT count(*) FROM step_records WHERE run_id = runs.id) AS later_count,
         (WITH RECURSIVE ${FIRST_STEPS}
          SELECT json_group_array(json_array(${member(0, '->>')}, ${member(1, '->>')}, ${member(2, '->>')}, ${member(3, '->>')},
            ${member(4, '->>')}, ${member(5, '->>')}, octet_length(nullif(${member(6, '->')}, 'null')),
            json(${cutError(member(8, '->'))}), ${member(9, '->>')}))
          FROM n WHERE i >= @from AND i < @to AND first_steps IS NOT NULL) AS steps
       FROM runs WHERE id = @runNumber AND nonce = @nonce`,
    ),
    selectLaterSteps: database.prepare(
      `SELECT step, type, visit, status, attempt, ${cutError('error')} AS error, started_at, finished_at, due_at, awaits,
         octet_length(outputs) AS output_size
       FROM step_records WHERE run_id = ? ORDER BY coalesce(started_at, finished_at) NULLS LAST, visit, step LIMIT ? OFFSET ?`,
    ),
    selectFiles: database
      .prepare(
        `SELECT file.value FROM runs, json_each(runs.request, '$.files') AS file
         WHERE runs.id = ? AND file.key >= ? AND file.key < ?`,
      )
      .pluck(),
  };
}
