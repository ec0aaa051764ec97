// Rejections in SQLite: triggers that were refused before a run existed.

import type { Database } from 'better-sqlite3';
import type { Rejection } from '../rejection.ts';
import { type RejectionRow, toRejection } from './rows.ts';

export function createRejectionOperations(database: Database) {
  const insert = database.prepare('INSERT INTO rejections VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  return {
    recordRejections(rejections: Rejection[]): void {
      for (const { appId, method, path, status, code, message, clientIp, count, firstAt, lastAt } of rejections) {
        insert.run(appId, method, path, status, code, message, clientIp, count, firstAt, lastAt);
      }
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
