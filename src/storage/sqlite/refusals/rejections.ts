// Rejections in SQLite: the records of triggers that were refused before a run existed. Their number is bounded.

import type { Database } from 'better-sqlite3';
import type { Rejection, RejectionChange, RejectionFilter } from '../../refusals/rejection-store.ts';
import { given, preset, type Row, table } from '../table.ts';

/** About 1.3 KB each at most. */
const MAX_REJECTIONS = 10_000;

export const rejections = table('rejections').columns({
  position: preset<number>(),
  sink_id: given<string | null>(),
  app_id: given<string | null>(),
  method: given<string>(),
  path: given<string>(),
  status: given<number>(),
  code: given<string>(),
  reason: given<string>(),
  message: given<string>(),
  client_ip: given<string>(),
  folded: given<Rejection['folded']>(),
  count: given<number>(),
  first_at: given<number>(),
  last_at: given<number>(),
});

export function createRejectionOperations(database: Database) {
  const insert = rejections.insert(database);
  const addTo = database.prepare(
    `UPDATE rejections SET method = @method, path = @path, message = @message, client_ip = @clientIp, count = count + @count,
       last_at = @lastAt
     WHERE position = @position`,
  );
  const deleteExcess = database.prepare(
    `DELETE FROM rejections WHERE position <= (SELECT max(position) FROM rejections) - ${MAX_REJECTIONS}`,
  );

  /** Adds to the entry at `position`, or inserts a new one if it is null or has been deleted. */
  function record(change: RejectionChange): number {
    if (change.position !== null && addTo.run(change).changes > 0) return change.position;
    return insert(toRow(change)).lastInsertRowid as number;
  }

  return {
    recordRejections(changes: RejectionChange[]): number[] {
      const positions = changes.map(record);
      deleteExcess.run();
      return positions;
    },
  };
}

export function createRejectionQueries(database: Database) {
  const one = database.prepare('SELECT * FROM rejections WHERE position = ?');
  // Their number is bounded, so that reading all of them for the rarer filters is cheaper than an index for each.
  const matching = database.prepare(
    `SELECT * FROM rejections
     WHERE position < @before AND (@appId IS NULL OR app_id = @appId) AND (@sinkId IS NULL OR sink_id = @sinkId)
       AND (@reason IS NULL OR reason = @reason) AND (@clientIp IS NULL OR client_ip = @clientIp) AND last_at >= @since
     ORDER BY position DESC LIMIT @limit`,
  );
  const ofApp = database.prepare('SELECT * FROM rejections WHERE app_id = ? AND position < ? ORDER BY position DESC LIMIT ?');
  return {
    listRejections({ before = Number.MAX_SAFE_INTEGER, limit, appId, ...rarer }: RejectionFilter) {
      const isOfApp = appId !== undefined && Object.keys(rarer).length === 0;
      const rows = isOfApp
        ? ofApp.all(appId, before, limit)
        : matching.all({ before, limit, appId: appId ?? null, ...UNFILTERED, ...rarer });
      return (rows as Row<typeof rejections>[]).map(toRejection);
    },
    getRejection(position: number) {
      const row = one.get(position) as Row<typeof rejections> | undefined;
      return row === undefined ? null : toRejection(row);
    },
  };
}

const UNFILTERED = { sinkId: null, reason: null, clientIp: null, since: 0 };

function toRow(rejection: Rejection): Omit<Row<typeof rejections>, 'position'> {
  const { method, path, status, code, reason, message, folded, count } = rejection;
  const { sinkId: sink_id, appId: app_id, clientIp: client_ip, firstAt: first_at, lastAt: last_at } = rejection;
  return { sink_id, app_id, method, path, status, code, reason, message, client_ip, folded, count, first_at, last_at };
}

function toRejection(row: Row<typeof rejections>): Rejection & { position: number } {
  return {
    position: row.position,
    sinkId: row.sink_id,
    appId: row.app_id,
    method: row.method,
    path: row.path,
    status: row.status,
    code: row.code,
    reason: row.reason,
    message: row.message,
    clientIp: row.client_ip,
    folded: row.folded,
    count: row.count,
    firstAt: row.first_at,
    lastAt: row.last_at,
  };
}
