// Counts the unfinished runs of a sink with flow control, in SQLite.

import type { Database } from 'better-sqlite3';
import { FLOW_COUNT_LIMIT, type FlowCount } from '../../runs/run-queries.ts';

export function createFlowQueries(database: Database) {
  const count = (states: string): string =>
    `(SELECT count(*) FROM (SELECT 1 FROM flow_runs WHERE sink_no = sinks.no AND state IN (${states}) LIMIT ${FLOW_COUNT_LIMIT}))`;
  const select = database.prepare(
    `SELECT ${count("'active'")} AS inFlight, ${count("'ready', 'behind', 'quiet', 'collecting'")} AS held FROM sinks
     WHERE id = ? AND (settings ->> '$.flow' IS NOT NULL OR EXISTS (SELECT 1 FROM flow_runs WHERE sink_no = sinks.no))`,
  );
  return {
    countFlow(sinkId: string): FlowCount | null {
      return (select.get(sinkId) as FlowCount | undefined) ?? null;
    },
  };
}
