// Reads runs from SQLite: one run, its events, and pages of runs. Each filter reads along an index.

import type { Database } from 'better-sqlite3';
import type { RequestHead } from '../../../core/run/request.ts';
import { isTerminal, RUN_STATUSES, type RunStatus } from '../../../core/run/run.ts';
import type { RunEvent } from '../../../core/run/run-event.ts';
import { parseRunId, runNumberAt, timeOfRunNumber } from '../../../core/run/run-id.ts';
import type {
  RequestRecord,
  RequestTime,
  RunFilter,
  RunOutcomeRecord,
  RunRecord,
  RunSummary,
  StoredEvents,
  StreamPosition,
} from '../../runs/run-queries.ts';
import { createRowsBySink, createSinkFilter } from '../definitions/rows-by-sink.ts';
import { unpackEvents } from './event-columns.ts';
import {
  RUN_TABLES,
  type RunRow,
  readSteps,
  type StepRow,
  SUMMARY_COLUMNS,
  type SummaryRow,
  toError,
  toRunId,
  toRunSummary,
} from './run-rows.ts';

type RunOutcomeRow = SummaryRow & Pick<RunRow, 'last_seq' | 'output' | 'first_steps'>;

type EventsRow = Pick<RunRow, 'status' | 'last_seq' | 'first_events' | 'output' | 'error' | 'sink_id'>;

type RequestRow = Pick<RunRow, 'run_number' | 'nonce' | 'request' | 'body_kind'> & { body_size: number };

type PositionRow = Pick<RunRow, 'status' | 'last_seq' | 'sink_id' | 'body_kind'> & { bytes: number; request_bytes: number };

export class RunReader {
  readonly #sql: ReturnType<typeof prepareStatements>;
  readonly #newestRuns: ReturnType<typeof createRowsBySink>;
  readonly #oldestRuns: ReturnType<typeof createRowsBySink>;
  readonly #sinksOf: ReturnType<typeof createSinkFilter>;

  constructor(database: Database) {
    this.#sql = prepareStatements(database);
    this.#newestRuns = createRowsBySink(database, { table: 'runs', key: 'id', order: 'newest' });
    this.#oldestRuns = createRowsBySink(database, { table: 'runs', key: 'id', order: 'oldest' });
    this.#sinksOf = createSinkFilter(database);
  }

  getRun(runId: string): RunRecord | null {
    const key = parseRunId(runId);
    const row = key && (this.#sql.selectRun.get(key.runNumber, key.nonce) as RunRow | undefined);
    if (!row) return null;
    const { request, body_kind: bodyKind, body_charset: bodyCharset, body } = row;
    return { ...this.#toOutcome(row), request, bodyKind, bodyCharset, body };
  }

  getOutcome(runId: string): RunOutcomeRecord | null {
    const key = parseRunId(runId);
    const row = key && (this.#sql.selectOutcome.get(key.runNumber, key.nonce) as RunOutcomeRow | undefined);
    return row ? this.#toOutcome(row) : null;
  }

  readEvents(runId: string, after: number): StoredEvents | null {
    const key = parseRunId(runId);
    const run = key && (this.#sql.selectForEvents.get(key.runNumber, key.nonce) as EventsRow | undefined);
    if (!run) return null;
    const ended = isTerminal(run.status);
    const later = this.#sql.selectEvents.all({ runNumber: key.runNumber, after }) as { seq: number; data: string }[];
    const events: RunEvent[] = [...unpackEvents(1, run.first_events), ...later.flatMap(({ seq, data }) => unpackEvents(seq, data))];
    if (ended) {
      const { status, output } = run;
      events.push({ seq: run.last_seq, outcome: { status, output, error: toError(run.error) } });
    }
    return { events: events.filter(({ seq }) => seq > after), ended, sinkId: run.sink_id };
  }

  findStream(runId: string): StreamPosition | null {
    const key = parseRunId(runId);
    const run = key && (this.#sql.selectPosition.get(key.runNumber, key.nonce) as PositionRow | undefined);
    if (!run) return null;
    const { last_seq: lastSeq, status, sink_id: sinkId, bytes, request_bytes: requestBytes } = run;
    return { lastSeq, ended: isTerminal(status), sinkId, isBatch: run.body_kind === 'batch', bytes, requestBytes };
  }

  listRuns(filter: RunFilter): RunSummary[] {
    return this.summariesOf(this.selectNumbers(filter, rangeOf(filter), filter.limit));
  }

  /** The numbers of the newest runs of the filter in the range. */
  selectNumbers(filter: RunFilter, { from, before }: NumberRange, limit: number): number[] {
    const { appId, sinkId, status } = filter;
    const isUnfiltered = appId === undefined && sinkId === undefined && status === undefined;
    return isUnfiltered
      ? (this.#sql.selectNewest.all(from, before, limit) as number[])
      : this.#newestRuns({ sinks: this.#sinksOf(filter), statuses: statusesOf(filter), from, before, limit });
  }

  /** Those of the numbers that are of runs of the filter in the range, newest first. */
  selectAmong(numbers: readonly number[], filter: RunFilter, { from, before }: NumberRange): number[] {
    const lists = [numbers, this.#sinksOf(filter), statusesOf(filter)].map((list) => JSON.stringify(list));
    return this.#sql.selectAmong.all(from, before, ...lists) as number[];
  }

  /** Newest first. */
  summariesOf(numbers: readonly number[]): RunSummary[] {
    return (this.#sql.selectSummaries.all(JSON.stringify(numbers)) as SummaryRow[]).map(toRunSummary);
  }

  listRequests(sinkId: string, after: string, limit: number): RequestRecord[] {
    const from = (parseRunId(after)?.runNumber ?? 0) + 1;
    const range = { sinks: this.#sinksOf({ sinkId }), statuses: RUN_STATUSES, from, before: Number.MAX_SAFE_INTEGER, limit };
    const rows = this.#sql.selectRequests.all(JSON.stringify(this.#oldestRuns(range))) as RequestRow[];
    return rows.map(({ run_number, nonce, request, body_kind: bodyKind, body_size: bodySize }) => ({
      runId: toRunId({ run_number, nonce }),
      request,
      bodyKind,
      bodySize,
    }));
  }

  listRequestTimes(sinkId: string, since: number, limit: number): RequestTime[] {
    const sinks = this.#sinksOf({ sinkId });
    const from = runNumberAt(since);
    const numbers = this.#newestRuns({ sinks, statuses: RUN_STATUSES, from, before: Number.MAX_SAFE_INTEGER, limit });
    const started = this.#sql.selectStarted.all(JSON.stringify(numbers)) as { at: number; request: string }[];
    const collected = sinks.flatMap((no) => this.#sql.selectCollected.all(no, from, limit)) as { no: number; clientIp: string }[];
    const times = [
      ...started.flatMap(({ at, request }) => requestTime(at, JSON.parse(request) as RequestHead)),
      ...collected.map(({ no, clientIp }) => ({ at: timeOfRunNumber(no).ms, receivedAt: no, clientIp })),
    ];
    return times.sort((a, b) => b.at - a.at).slice(0, limit);
  }

  #toOutcome(row: RunOutcomeRow): RunOutcomeRecord {
    const steps = readSteps(row.first_steps, this.#sql.selectSteps.all(row.run_number) as StepRow[]);
    return { ...toRunSummary(row), lastSeq: row.last_seq, output: row.output, steps };
  }
}

/** Of a batch, its first request. Empty for a scheduled run. */
function requestTime(at: number, { schedule, client_ip: clientIp, received_at: receivedAt, batch }: RequestHead): RequestTime[] {
  return schedule === undefined ? [{ at, receivedAt, clientIp: batch?.[0]?.client_ip ?? clientIp }] : [];
}

/** Run numbers: from, inclusive, and before, exclusive. */
export interface NumberRange {
  from: number;
  before: number;
}

/** The run numbers that a filter allows. */
export function rangeOf({ since, until, after }: RunFilter): NumberRange {
  const untilNumber = until === undefined ? Number.MAX_SAFE_INTEGER : runNumberAt(until);
  const afterNumber = (after === undefined ? null : parseRunId(after)?.runNumber) ?? Number.MAX_SAFE_INTEGER;
  return { from: since === undefined ? 0 : runNumberAt(since), before: Math.min(untilNumber, afterNumber) };
}

function statusesOf({ status }: RunFilter): readonly RunStatus[] {
  return status === undefined ? RUN_STATUSES : [status].flat();
}

function prepareStatements(database: Database) {
  return {
    selectRun: database.prepare(`SELECT ${SUMMARY_COLUMNS}, runs.* FROM ${RUN_TABLES} WHERE runs.id = ? AND nonce = ?`),
    selectOutcome: database.prepare(
      `SELECT ${SUMMARY_COLUMNS}, last_seq, output, first_steps FROM ${RUN_TABLES} WHERE runs.id = ? AND nonce = ?`,
    ),
    selectForEvents: database.prepare(
      `SELECT status, last_seq, first_events, output, error, sinks.id AS sink_id
       FROM runs JOIN sinks ON sinks.no = sink_no WHERE runs.id = ? AND nonce = ?`,
    ),
    selectPosition: database.prepare(
      `SELECT status, last_seq, sinks.id AS sink_id, body_kind, octet_length(body) + octet_length(request) AS request_bytes,
         octet_length(first_events) + coalesce(octet_length(output), 0) + coalesce(octet_length(first_steps), 0)
         + coalesce((SELECT sum(octet_length(outputs)) FROM step_records WHERE run_id = runs.id), 0)
         + coalesce((SELECT sum(octet_length(data)) FROM run_events WHERE run_id = runs.id), 0) AS bytes
       FROM runs JOIN sinks ON sinks.no = sink_no WHERE runs.id = ? AND nonce = ?`,
    ),
    selectSteps: database.prepare(
      'SELECT * FROM step_records WHERE run_id = ? ORDER BY coalesce(started_at, finished_at) NULLS LAST, visit',
    ),
    selectEvents: database.prepare(
      `SELECT seq, data FROM run_events WHERE run_id = @runNumber
         AND seq >= coalesce((SELECT max(seq) FROM run_events WHERE run_id = @runNumber AND seq <= @after + 1), 0) ORDER BY seq`,
    ),
    selectNewest: database.prepare('SELECT id FROM runs WHERE id >= ? AND id < ? ORDER BY id DESC LIMIT ?').pluck(),
    // The plus keeps a condition from selecting another index.
    selectAmong: database
      .prepare(
        `SELECT id FROM runs WHERE id >= ? AND id < ? AND id IN (SELECT value FROM json_each(?))
           AND +sink_no IN (SELECT value FROM json_each(?)) AND +status IN (SELECT value FROM json_each(?)) ORDER BY id DESC`,
      )
      .pluck(),
    selectRequests: database.prepare(
      `SELECT id AS run_number, nonce, request, body_kind, octet_length(body) AS body_size FROM runs
       WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id`,
    ),
    selectStarted: database.prepare(
      'SELECT created_at AS at, request FROM runs WHERE id IN (SELECT value FROM json_each(?)) AND replay IS NULL',
    ),
    selectCollected: database.prepare(
      'SELECT no, client_ip AS clientIp FROM collected_requests WHERE sink_no = ? AND no >= ? ORDER BY no DESC LIMIT ?',
    ),
    selectSummaries: database.prepare(
      `SELECT ${SUMMARY_COLUMNS} FROM ${RUN_TABLES} WHERE runs.id IN (SELECT value FROM json_each(?)) ORDER BY runs.id DESC`,
    ),
  };
}
