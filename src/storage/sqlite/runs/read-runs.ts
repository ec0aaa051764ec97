// What is read of runs in SQLite: one run, its events, and pages of runs, each filter along an index.

import type { Database } from 'better-sqlite3';
import { isTerminal, RUN_STATUSES } from '../../../core/run/run.ts';
import type { RunEvent } from '../../../core/run/run-event.ts';
import { parseRunId, runNumberAt } from '../../../core/run/run-id.ts';
import type { RunFilter, RunOutcomeRecord, RunRecord, RunSummary, StoredEvents, StreamPosition } from '../../run-records.ts';
import { createRowsBySink, createSinkFilter } from '../definitions/rows-by-sink.ts';
import { unpackEvents } from './event-columns.ts';
import { RUN_TABLES, type RunRow, type StepRow, SUMMARY_COLUMNS, type SummaryRow, toError, toRunSummary } from './run-rows.ts';
import { readSteps } from './write-runs.ts';

type OutcomeRow = Pick<RunRow, 'status' | 'last_seq' | 'first_events' | 'output' | 'error' | 'sink_id'>;

type RunOutcomeRow = SummaryRow & Pick<RunRow, 'last_seq' | 'output' | 'first_steps'>;

type PositionRow = Pick<RunRow, 'status' | 'last_seq' | 'sink_id'> & { bytes: number; request_bytes: number };

const OUTCOME_COLUMNS = `${SUMMARY_COLUMNS}, last_seq, output, first_steps`;

export function createRunQueries(database: Database) {
  const selectRun = database.prepare(`SELECT ${SUMMARY_COLUMNS}, runs.* FROM ${RUN_TABLES} WHERE runs.id = ? AND nonce = ?`);
  const selectRunOutcome = database.prepare(`SELECT ${OUTCOME_COLUMNS} FROM ${RUN_TABLES} WHERE runs.id = ? AND nonce = ?`);
  const selectOutcome = database.prepare(
    `SELECT status, last_seq, first_events, output, error, sinks.id AS sink_id
     FROM runs JOIN sinks ON sinks.no = sink_no WHERE runs.id = ? AND nonce = ?`,
  );
  const selectPosition = database.prepare(
    `SELECT status, last_seq, sinks.id AS sink_id, octet_length(body) + octet_length(request) AS request_bytes,
       octet_length(first_events) + coalesce(octet_length(output), 0) + coalesce(octet_length(first_steps), 0)
       + coalesce((SELECT sum(octet_length(outputs)) FROM step_records WHERE run_id = runs.id), 0)
       + coalesce((SELECT sum(octet_length(data)) FROM run_events WHERE run_id = runs.id), 0) AS bytes
     FROM runs JOIN sinks ON sinks.no = sink_no WHERE runs.id = ? AND nonce = ?`,
  );
  const selectSteps = database.prepare(
    'SELECT * FROM step_records WHERE run_id = ? ORDER BY coalesce(started_at, finished_at) NULLS LAST, visit',
  );
  const selectEvents = database.prepare(
    `SELECT seq, data FROM run_events WHERE run_id = @order
       AND seq >= coalesce((SELECT max(seq) FROM run_events WHERE run_id = @order AND seq <= @after + 1), 0) ORDER BY seq`,
  );
  const sinksOf = createSinkFilter(database);
  const newestRuns = createRowsBySink(database, { table: 'runs', key: 'id', order: 'newest' });
  const selectNewest = database.prepare('SELECT id FROM runs WHERE id >= ? AND id < ? ORDER BY id DESC LIMIT ?').pluck();
  const selectSummaries = database.prepare(
    `SELECT ${SUMMARY_COLUMNS} FROM ${RUN_TABLES} WHERE runs.id IN (SELECT value FROM json_each(?)) ORDER BY runs.id DESC`,
  );

  function toOutcome(row: RunOutcomeRow): RunOutcomeRecord {
    const steps = readSteps(row.first_steps, selectSteps.all(row.run_order) as StepRow[]);
    return { ...toRunSummary(row), lastSeq: row.last_seq, output: row.output, steps };
  }

  return {
    getRun(runId: string): RunRecord | null {
      const key = parseRunId(runId);
      const row = key && (selectRun.get(key.runNumber, key.nonce) as RunRow | undefined);
      if (!row) return null;
      const { request, body_kind: bodyKind, body_charset: bodyCharset, body } = row;
      return { ...toOutcome(row), request, bodyKind, bodyCharset, body };
    },

    getOutcome(runId: string): RunOutcomeRecord | null {
      const key = parseRunId(runId);
      const row = key && (selectRunOutcome.get(key.runNumber, key.nonce) as RunOutcomeRow | undefined);
      return row ? toOutcome(row) : null;
    },

    readEvents(runId: string, after: number): StoredEvents | null {
      const key = parseRunId(runId);
      const run = key && (selectOutcome.get(key.runNumber, key.nonce) as OutcomeRow | undefined);
      if (!run) return null;
      const ended = isTerminal(run.status);
      const later = selectEvents.all({ order: key.runNumber, after }) as { seq: number; data: string }[];
      const events: RunEvent[] = [...unpackEvents(1, run.first_events), ...later.flatMap(({ seq, data }) => unpackEvents(seq, data))];
      if (ended) {
        const { status, output } = run;
        events.push({ seq: run.last_seq, outcome: { status, output, error: toError(run.error) } });
      }
      return { events: events.filter(({ seq }) => seq > after), ended, sinkId: run.sink_id };
    },

    findStream(runId: string): StreamPosition | null {
      const key = parseRunId(runId);
      const run = key && (selectPosition.get(key.runNumber, key.nonce) as PositionRow | undefined);
      if (!run) return null;
      const { last_seq: lastSeq, status, sink_id: sinkId, bytes, request_bytes: requestBytes } = run;
      return { lastSeq, ended: isTerminal(status), sinkId, bytes, requestBytes };
    },

    listRuns(filter: RunFilter): RunSummary[] {
      const from = filter.since === undefined ? 0 : runNumberAt(filter.since);
      const before = Math.min(
        filter.until === undefined ? Number.MAX_SAFE_INTEGER : runNumberAt(filter.until),
        (filter.after === undefined ? null : parseRunId(filter.after)?.runNumber) ?? Number.MAX_SAFE_INTEGER,
      );
      const { limit, status } = filter;
      const isWhole = filter.appId === undefined && filter.sinkId === undefined && status === undefined;
      const ids = isWhole
        ? selectNewest.all(from, before, limit)
        : newestRuns({ sinks: sinksOf(filter), statuses: status === undefined ? RUN_STATUSES : [status], from, before, limit });
      return (selectSummaries.all(JSON.stringify(ids)) as SummaryRow[]).map(toRunSummary);
    },
  };
}
