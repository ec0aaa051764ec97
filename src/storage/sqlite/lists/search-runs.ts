// Searches runs in SQLite: reads them from the newest on, along the index of the filter, until the work of a slice is done.

import type { Database } from 'better-sqlite3';
import { createRunMatcher, MAX_SEARCHED, type RunCriteria, type SearchedRun } from '../../../core/run/run-criteria.ts';
import type { RunSearch, SearchSlice } from '../../runs/run-search.ts';
import { type NumberRange, type RunReader, rangeOf } from '../runs/read-runs.ts';
import { type RunRow, toError, toReplay, toRunId } from '../runs/run-rows.ts';
import { createNamedRuns } from './named-runs.ts';

/** Runs whose numbers are read at once. */
const BLOCK = 200;

/** What the criteria do not need is null. */
type SearchedRow = Pick<RunRow, 'run_number' | 'nonce' | 'created_at' | 'workflow_id' | 'body_charset'> &
  Record<'client_ip' | 'headers' | 'replay' | 'output' | 'error', string | null> & { body: Buffer | null };

const NOTHING = new Uint8Array(0);

export function createRunSearch(database: Database, reader: RunReader, elapsedMs: () => number) {
  const select = prepareSelect(database);
  const namedRuns = createNamedRuns(database);

  /** The next runs in the range, newest first. */
  function* blocksOf(search: RunSearch, { from, before }: NumberRange): Generator<number[]> {
    const named = namedRuns(search);
    let range = { from, before };
    for (;;) {
      const block = named === null ? reader.selectNumbers(search, range, BLOCK) : reader.selectAmong(named, search, range);
      if (block.length === 0) return;
      yield block;
      range = { from, before: block.at(-1) as number };
    }
  }

  return {
    searchRuns(search: RunSearch): SearchSlice {
      const endsAt = elapsedMs() + search.maxMs;
      const matches = createRunMatcher(search);
      const needed = neededColumns(search);
      const found: number[] = [];
      let scanned = 0;
      for (const block of blocksOf(search, rangeOf(search))) {
        for (const row of select.iterate(...needed, JSON.stringify(block)) as IterableIterator<SearchedRow>) {
          scanned += 1;
          if (matches(toSearchedRun(row))) found.push(row.run_number);
          if (found.length < search.limit && elapsedMs() < endsAt) continue;
          const last = { id: toRunId(row), createdAt: row.created_at };
          return { runs: reader.summariesOf(found), scanned, last };
        }
      }
      return { runs: reader.summariesOf(found), scanned, last: null };
    },
  };
}

function toSearchedRun(row: SearchedRow): SearchedRun {
  return {
    workflowId: row.workflow_id,
    clientIp: row.client_ip ?? '',
    headers: row.headers === null ? {} : (JSON.parse(row.headers) as Record<string, string>),
    replayOf: toReplay(row.replay)?.of ?? null,
    bodyCharset: row.body_charset,
    body: row.body ?? NOTHING,
    output: row.output,
    error: toError(row.error),
  };
}

/** In the order of the parameters of `prepareSelect`. */
function neededColumns({ clientIp, replayOf, text }: RunCriteria): number[] {
  const parts = new Set(text?.parts);
  return [
    clientIp !== undefined,
    parts.has('headers'),
    replayOf !== undefined,
    parts.has('body'),
    parts.has('output'),
    parts.has('error'),
  ].map(Number);
}

function prepareSelect(database: Database) {
  return database.prepare(
    `SELECT id AS run_number, nonce, created_at, workflow_id, body_charset,
       iif(?, coalesce(request ->> '$.batch[0].client_ip', request ->> '$.client_ip'), NULL) AS client_ip,
       iif(?, request -> '$.headers', NULL) AS headers,
       iif(?, replay, NULL) AS replay,
       iif(?, substr(body, 1, ${MAX_SEARCHED}), NULL) AS body,
       iif(?, substr(output, 1, ${MAX_SEARCHED}), NULL) AS output,
       iif(?, error, NULL) AS error
     FROM runs WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id DESC`,
  );
}
