// Stores and deletes workflow versions in SQLite.

import type { Database } from 'better-sqlite3';
import { AppError } from '../../../errors.ts';
import type { DefinitionChange } from '../../definition-store.ts';
import { workflows } from './definition-rows.ts';
import type { DefinitionReader } from './read-definitions.ts';
import type { AppWriter } from './write-apps.ts';

type PutWorkflow = Extract<DefinitionChange, { kind: 'put_workflow' }>;

export class WorkflowWriter {
  readonly #sql: ReturnType<typeof prepareStatements>;
  readonly #apps: AppWriter;
  readonly #reader: DefinitionReader;

  constructor(database: Database, apps: AppWriter, reader: DefinitionReader) {
    this.#sql = prepareStatements(database);
    this.#apps = apps;
    this.#reader = reader;
  }

  /** Stores the document as the next version, unless the latest version has the same text. */
  put({ appId, workflowId, document, managedBy }: PutWorkflow, now: number): void {
    const appNo = this.#apps.numberOrCreate(appId, managedBy, now);
    if (this.#reader.findWorkflow(appId, workflowId, null)?.document === document) {
      this.#sql.updateOwner.run(managedBy, appNo, workflowId);
      return;
    }
    const version = (this.#sql.selectLastVersion.get(appNo, workflowId) as number) + 1;
    this.#sql.insert({ app_no: appNo, id: workflowId, version, document, managed_by: managedBy, created_at: now });
  }

  /** Marks all versions as deleted: a run still reads its version. */
  delete(appId: string, workflowId: string, now: number): void {
    const appNo = this.#apps.numberOf(appId);
    const users = this.#sql.selectUsers.all({ appNo, workflowId }) as string[];
    if (users.length > 0) {
      throw new AppError('conflict', `workflow "${workflowId}" is used by ${users.join(', ')}; change or delete those sinks first`);
    }
    if (this.#sql.delete.run(now, appNo, workflowId).changes === 0) {
      throw new AppError('not_found', `app "${appId}" has no workflow "${workflowId}"`);
    }
  }
}

function prepareStatements(database: Database) {
  return {
    selectLastVersion: database.prepare('SELECT coalesce(max(version), 0) FROM workflows WHERE app_no = ? AND id = ?').pluck(),
    insert: workflows.insert(database),
    updateOwner: database.prepare('UPDATE workflows SET managed_by = ? WHERE app_no = ? AND id = ?'),
    delete: database.prepare('UPDATE workflows SET deleted_at = ? WHERE app_no = ? AND id = ? AND deleted_at IS NULL'),
    selectUsers: database
      .prepare(
        `SELECT method || ' ' || path FROM sinks
         WHERE app_no = @appNo AND deleted_at IS NULL AND (workflow_id = @workflowId
           OR EXISTS (SELECT 1 FROM json_each(settings, '$.workflows') WHERE json_extract(value, '$.workflowId') = @workflowId))`,
      )
      .pluck(),
  };
}
