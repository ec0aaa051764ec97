// The statements of flow control. Each reads a few rows along an index, however long the line of a sink is.

import type { Database } from 'better-sqlite3';
import { flowRuns } from './flow-columns.ts';

/** What a later run may replace. The requests of an open batch are never replaced. */
const REPLACEABLE = "state IN ('ready', 'behind', 'quiet')";
const HELD = "state IN ('ready', 'behind', 'quiet', 'collecting')";
const LINE = 'no, sink_no AS sinkNo, flow_key AS key, state';
/** Another run of the key that is active or before it. */
const IS_BEHIND = `EXISTS (
  SELECT 1 FROM flow_runs AS other
  WHERE other.sink_no = flow_runs.sink_no AND other.flow_key = flow_runs.flow_key AND other.no <> flow_runs.no
    AND (other.state = 'active' OR (other.state IN ('ready', 'behind') AND other.no < flow_runs.no)))`;

export function prepareFlowStatements(database: Database) {
  return {
    selectSettings: database.prepare('SELECT settings FROM sinks WHERE no = ?').pluck(),
    selectSink: database.prepare(
      'SELECT no AS sinkNo, EXISTS (SELECT 1 FROM flow_runs WHERE sink_no = sinks.no) AS isTracked FROM sinks WHERE id = ?',
    ),
    insert: flowRuns.insert(database),
    replace: database.prepare("UPDATE flow_runs SET run_id = ?, state = 'quiet' WHERE no = ?"),
    setState: database.prepare('UPDATE flow_runs SET state = ? WHERE no = ?'),
    delete: database.prepare(`DELETE FROM flow_runs WHERE run_id = ? RETURNING ${LINE}`),
    selectLine: database.prepare(`SELECT ${LINE} FROM flow_runs WHERE run_id = ?`),
    selectWaiting: database.prepare(
      `SELECT no, run_id AS runNumber, since_at AS sinceAt FROM flow_runs WHERE sink_no = ? AND flow_key = ? AND ${REPLACEABLE} ORDER BY no`,
    ),
    selectReady: database.prepare(
      "SELECT no, run_id AS runNumber, since_at AS sinceAt FROM flow_runs WHERE sink_no = ? AND state = 'ready' ORDER BY no LIMIT ?",
    ),
    hasReady: database.prepare("SELECT EXISTS (SELECT 1 FROM flow_runs WHERE sink_no = ? AND state = 'ready')").pluck(),
    isBusy: database
      .prepare(
        "SELECT EXISTS (SELECT 1 FROM flow_runs WHERE sink_no = @sinkNo AND flow_key = @key AND state IN ('active', 'ready', 'behind'))",
      )
      .pluck(),
    countActive: database
      .prepare("SELECT count(*) FROM (SELECT 1 FROM flow_runs WHERE sink_no = @sinkNo AND state = 'active' LIMIT @most)")
      .pluck(),
    countWaiting: database
      .prepare(`SELECT count(*) FROM (SELECT 1 FROM flow_runs WHERE sink_no = @sinkNo AND ${HELD} LIMIT @most)`)
      .pluck(),
    promote: database.prepare(
      `UPDATE flow_runs SET state = 'ready'
       WHERE no = (SELECT min(no) FROM flow_runs WHERE sink_no = @sinkNo AND flow_key = @key AND state = 'behind')
         AND NOT EXISTS (SELECT 1 FROM flow_runs WHERE sink_no = @sinkNo AND flow_key = @key AND state IN ('active', 'ready'))`,
    ),
    reorder: database.prepare(
      `UPDATE flow_runs SET state = CASE WHEN ${IS_BEHIND} THEN 'behind' ELSE 'ready' END
       WHERE sink_no = ? AND state IN ('ready', 'behind')`,
    ),
    unorder: database.prepare("UPDATE flow_runs SET state = 'ready' WHERE sink_no = ? AND state = 'behind'"),
    endRun: database
      .prepare(
        `UPDATE runs SET status = 'cancelled', error = ?, finished_at = ?, wake_at = NULL, last_seq = last_seq + 1,
           epoch = epoch + 1, inputs = NULL
         WHERE id = ? RETURNING nonce`,
      )
      .pluck(),
    makeDue: database.prepare('UPDATE runs SET wake_at = created_at WHERE id = ? RETURNING wake_at').pluck(),
    setDue: database.prepare('UPDATE runs SET wake_at = ? WHERE id = ?'),
    selectRun: database.prepare('SELECT wake_at AS dueAt, error FROM runs WHERE id = ?'),
  };
}
