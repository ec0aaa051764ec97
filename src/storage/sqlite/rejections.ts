// Rejections in SQLite: triggers that were refused before a run existed. There are never more than so many.

import type { Database } from 'better-sqlite3';
import type { RejectionChange } from '../rejection-store.ts';
import { type RejectionRow, toRejection } from './runs/run-rows.ts';

/** At some 1.3 KB for the longest. */
const MAX_REJECTIONS = 10_000;

export function createRejectionOperations(database: Database) {
  const insert = database.prepare(
    `INSERT INTO rejections VALUES (NULL, @sinkId, @appId, @method, @path, @status, @code, @message, @clientIp, @folded, @count,
       @firstAt, @lastAt)`,
  );
  const addTo = database.prepare(
    `UPDATE rejections SET method = @method, path = @path, message = @message, client_ip = @clientIp, count = count + @count,
       last_at = @lastAt
     WHERE position = @position`,
  );
  const deleteExcess = database.prepare(
    `DELETE FROM rejections WHERE position <= (SELECT max(position) FROM rejections) - ${MAX_REJECTIONS}`,
  );

  /** What was removed meanwhile begins anew. */
  function record(change: RejectionChange): number {
    if (change.position !== null && addTo.run(change).changes > 0) return change.position;
    return insert.run(change).lastInsertRowid as number;
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
  const all = database.prepare('SELECT * FROM rejections WHERE position < ? ORDER BY position DESC LIMIT ?');
  const ofApp = database.prepare('SELECT * FROM rejections WHERE app_id = ? AND position < ? ORDER BY position DESC LIMIT ?');
  return {
    listRejections({ appId, before = Number.MAX_SAFE_INTEGER, limit }: { appId?: string; before?: number; limit: number }) {
      const rows = appId === undefined ? all.all(before, limit) : ofApp.all(appId, before, limit);
      return (rows as RejectionRow[]).map(toRejection);
    },
  };
}
