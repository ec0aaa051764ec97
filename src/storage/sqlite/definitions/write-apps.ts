// Stores and deletes apps in SQLite.

import type { Database } from 'better-sqlite3';
import type { App } from '../../../core/app.ts';
import type { ManagedBy } from '../../../core/sink/sink.ts';
import { AppError } from '../../../errors.ts';
import { apps } from './definition-rows.ts';

export class AppWriter {
  readonly #sql: ReturnType<typeof prepareStatements>;

  constructor(database: Database) {
    this.#sql = prepareStatements(database);
  }

  put({ id, name }: App, managedBy: ManagedBy, now: number): void {
    this.#sql.upsert({ id, name, managed_by: managedBy, created_at: now });
  }

  /** Returns the number of the app, which it creates if it does not exist. */
  numberOrCreate(appId: string, managedBy: ManagedBy, now: number): number {
    this.#sql.insertIfNew({ id: appId, name: null, managed_by: managedBy, created_at: now });
    return this.numberOf(appId);
  }

  numberOf(appId: string): number {
    const no = this.#sql.selectNumber.get(appId) as number | undefined;
    if (no === undefined) throw new AppError('not_found', `there is no app "${appId}"`);
    return no;
  }

  /** Deletes an app without sinks, workflows and runs, and the rows of its deleted sinks and workflows. */
  delete(appId: string): void {
    const no = this.numberOf(appId);
    const contents = this.#sql.countContents.get({ no }) as number;
    if (contents > 0) throw new AppError('conflict', `app "${appId}" still has ${contents} sinks or workflows; delete them first`);
    if (this.#sql.hasRuns.get(no) === 1) {
      throw new AppError('conflict', `app "${appId}" still has runs; delete it once retention has removed them`);
    }
    this.#sql.deleteSinks.run(no);
    this.#sql.deleteWorkflows.run(no);
    this.#sql.delete.run(no);
  }
}

function prepareStatements(database: Database) {
  return {
    upsert: apps.upsert(database, { key: ['id'], keeps: ['created_at'] }),
    insertIfNew: apps.insert(database, 'ON CONFLICT (id) DO NOTHING'),
    selectNumber: database.prepare('SELECT no FROM apps WHERE id = ?').pluck(),
    countContents: database
      .prepare(
        `SELECT (SELECT count(*) FROM sinks WHERE app_no = @no AND deleted_at IS NULL)
              + (SELECT count(DISTINCT id) FROM workflows WHERE app_no = @no AND deleted_at IS NULL)`,
      )
      .pluck(),
    hasRuns: database.prepare('SELECT EXISTS (SELECT 1 FROM sinks JOIN runs ON sink_no = sinks.no WHERE sinks.app_no = ?)').pluck(),
    deleteSinks: database.prepare('DELETE FROM sinks WHERE app_no = ?'),
    deleteWorkflows: database.prepare('DELETE FROM workflows WHERE app_no = ?'),
    delete: database.prepare('DELETE FROM apps WHERE no = ?'),
  };
}
