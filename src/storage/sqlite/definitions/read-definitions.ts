// Reads apps, workflow versions and sinks from SQLite.

import type { Database } from 'better-sqlite3';
import type { Definitions, VersionSummary, WorkflowRecord } from '../../definition-store.ts';
import { type SinkRow, toSink, toWorkflow, type WorkflowRow } from './definition-rows.ts';

const WORKFLOW_COLUMNS = 'workflows.id, apps.id AS app_id, version, document, workflows.managed_by, workflows.created_at';

export class DefinitionReader {
  readonly #sql: ReturnType<typeof prepareStatements>;

  constructor(database: Database) {
    this.#sql = prepareStatements(database);
  }

  loadDefinitions(): Definitions {
    return {
      version: this.definitionsVersion(),
      apps: this.#sql.selectApps.all() as Definitions['apps'],
      workflows: (this.#sql.selectWorkflows.all() as WorkflowRow[]).map(toWorkflow),
      sinks: (this.#sql.selectSinks.all() as SinkRow[]).map(toSink),
    };
  }

  definitionsVersion(): number {
    return this.#sql.selectVersion.get() as number;
  }

  findWorkflow(appId: string, workflowId: string, version: number | null): WorkflowRecord | null {
    const row = this.#sql.selectWorkflow.get({ appId, workflowId, version }) as WorkflowRow | undefined;
    return row === undefined ? null : toWorkflow(row);
  }

  listVersions(appId: string, workflowId: string, page: { before: number; limit: number }): VersionSummary[] {
    const rows = this.#sql.selectVersions.all({ appId, workflowId, ...page }) as (Omit<VersionSummary, 'isCurrent'> & {
      isCurrent: number;
    })[];
    return rows.map((row) => ({ ...row, isCurrent: row.isCurrent === 1 }));
  }
}

function prepareStatements(database: Database) {
  return {
    selectVersion: database.prepare('SELECT definitions_version FROM database_state').pluck(),
    selectApps: database.prepare('SELECT id, name, managed_by AS managedBy, created_at AS createdAt FROM apps ORDER BY id'),
    selectWorkflows: database.prepare(
      `SELECT ${WORKFLOW_COLUMNS}, max(version) AS version FROM workflows JOIN apps ON apps.no = app_no
       WHERE deleted_at IS NULL GROUP BY app_no, workflows.id ORDER BY apps.id, workflows.id`,
    ),
    selectSinks: database.prepare(
      `SELECT sinks.*, apps.id AS app_id FROM sinks JOIN apps ON apps.no = app_no
       WHERE deleted_at IS NULL ORDER BY apps.id, path, method`,
    ),
    selectWorkflow: database.prepare(
      `SELECT ${WORKFLOW_COLUMNS} FROM workflows JOIN apps ON apps.no = app_no
       WHERE apps.id = @appId AND workflows.id = @workflowId
         AND ((@version IS NULL AND deleted_at IS NULL) OR version = @version) ORDER BY version DESC LIMIT 1`,
    ),
    // Deletion marks all versions: if the newest is not marked, it is the current one.
    selectVersions: database.prepare(
      `SELECT version, workflows.created_at AS createdAt, deleted_at IS NULL AND version =
         (SELECT max(newest.version) FROM workflows newest WHERE newest.app_no = apps.no AND newest.id = workflows.id) AS isCurrent
       FROM workflows JOIN apps ON apps.no = app_no
       WHERE apps.id = @appId AND workflows.id = @workflowId AND version < @before ORDER BY version DESC LIMIT @limit`,
    ),
  };
}
