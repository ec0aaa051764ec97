// Definitions in SQLite: apps, workflow versions and sinks.

import type { Database } from 'better-sqlite3';
import type { ManagedBy, Sink } from '../../../core/sink/sink.ts';
import { patternKey } from '../../../core/sink/sink-path.ts';
import { AppError } from '../../../errors.ts';
import type { DefinitionChange, Definitions, WorkflowRecord } from '../../definition-store.ts';
import { apps, type SinkRow, sinks, toSink, toWorkflow, type WorkflowRow, workflows } from './definition-rows.ts';

const WORKFLOW_COLUMNS = 'workflows.id, apps.id AS app_id, version, document, workflows.managed_by, workflows.created_at';

export function createDefinitionOperations(database: Database) {
  const selectApps = database.prepare('SELECT id, name, managed_by AS managedBy, created_at AS createdAt FROM apps ORDER BY id');
  const selectWorkflows = database.prepare(
    `SELECT ${WORKFLOW_COLUMNS}, max(version) AS version FROM workflows JOIN apps ON apps.no = app_no
     WHERE deleted_at IS NULL GROUP BY app_no, workflows.id ORDER BY apps.id, workflows.id`,
  );
  const selectSinks = database.prepare(
    `SELECT sinks.*, apps.id AS app_id FROM sinks JOIN apps ON apps.no = app_no
     WHERE deleted_at IS NULL ORDER BY apps.id, path, method`,
  );
  const selectWorkflow = database.prepare(
    `SELECT ${WORKFLOW_COLUMNS} FROM workflows JOIN apps ON apps.no = app_no
     WHERE apps.id = @appId AND workflows.id = @workflowId
       AND ((@version IS NULL AND deleted_at IS NULL) OR version = @version) ORDER BY version DESC LIMIT 1`,
  );
  const selectAppNo = database.prepare('SELECT no FROM apps WHERE id = ?').pluck();
  const upsertApp = apps.upsert(database, { key: ['id'], keeps: ['created_at'] });
  const insertAppIfNew = apps.insert(database, 'ON CONFLICT (id) DO NOTHING');
  const countContents = database
    .prepare(
      `SELECT (SELECT count(*) FROM sinks WHERE app_no = @no AND deleted_at IS NULL)
            + (SELECT count(DISTINCT id) FROM workflows WHERE app_no = @no AND deleted_at IS NULL)`,
    )
    .pluck();
  const countRunsOfApp = database
    .prepare('SELECT EXISTS (SELECT 1 FROM sinks JOIN runs ON sink_no = sinks.no WHERE sinks.app_no = ?)')
    .pluck();
  const deleteWorkflowsOfApp = database.prepare('DELETE FROM workflows WHERE app_no = ?');
  const deleteSinksOfApp = database.prepare('DELETE FROM sinks WHERE app_no = ?');
  const deleteApp = database.prepare('DELETE FROM apps WHERE no = ?');
  const selectLastVersion = database.prepare('SELECT coalesce(max(version), 0) FROM workflows WHERE app_no = ? AND id = ?').pluck();
  const insertWorkflow = workflows.insert(database);
  const updateWorkflowOwner = database.prepare('UPDATE workflows SET managed_by = ? WHERE app_no = ? AND id = ?');
  const deleteWorkflow = database.prepare('UPDATE workflows SET deleted_at = ? WHERE app_no = ? AND id = ? AND deleted_at IS NULL');
  const selectSinkPathsOfWorkflow = database
    .prepare("SELECT method || ' ' || path FROM sinks WHERE app_no = ? AND workflow_id = ? AND deleted_at IS NULL")
    .pluck();
  const selectClash = database.prepare(
    'SELECT id, path FROM sinks WHERE app_no = ? AND method = ? AND pattern_key = ? AND deleted_at IS NULL AND id <> ?',
  );
  const upsertSink = sinks.upsert(database, { key: ['id'], keeps: ['app_no', 'created_at'] });
  const deleteSink = database.prepare('UPDATE sinks SET deleted_at = ? WHERE id = ? AND deleted_at IS NULL');

  function appNo(appId: string): number {
    const no = selectAppNo.get(appId) as number | undefined;
    if (no === undefined) throw new AppError('not_found', `there is no app "${appId}"`);
    return no;
  }

  function makeAppIfNew(appId: string, managedBy: ManagedBy, now: number): number {
    insertAppIfNew({ id: appId, name: null, managed_by: managedBy, created_at: now });
    return appNo(appId);
  }

  function removeApp(appId: string): void {
    const no = appNo(appId);
    const contents = countContents.get({ no }) as number;
    if (contents > 0) throw new AppError('conflict', `app "${appId}" still has ${contents} sinks or workflows; delete them first`);
    if (countRunsOfApp.get(no) === 1)
      throw new AppError('conflict', `app "${appId}" still has runs; it can go when retention has removed them`);
    deleteSinksOfApp.run(no);
    deleteWorkflowsOfApp.run(no);
    deleteApp.run(no);
  }

  function saveWorkflow(
    { appId, workflowId, document, managedBy }: Extract<DefinitionChange, { kind: 'put_workflow' }>,
    now: number,
  ): void {
    const no = makeAppIfNew(appId, managedBy, now);
    const current = selectWorkflow.get({ appId, workflowId, version: null }) as WorkflowRow | undefined;
    if (current?.document === document) {
      updateWorkflowOwner.run(managedBy, no, workflowId);
      return;
    }
    const version = (selectLastVersion.get(no, workflowId) as number) + 1;
    insertWorkflow({ app_no: no, id: workflowId, version, document, managed_by: managedBy, created_at: now });
  }

  function removeWorkflow(appId: string, workflowId: string, now: number): void {
    const no = appNo(appId);
    const users = selectSinkPathsOfWorkflow.all(no, workflowId) as string[];
    if (users.length > 0)
      throw new AppError('conflict', `workflow "${workflowId}" is used by ${users.join(', ')}; change or delete those sinks first`);
    if (deleteWorkflow.run(now, no, workflowId).changes === 0)
      throw new AppError('not_found', `app "${appId}" has no workflow "${workflowId}"`);
  }

  function saveSink(sink: Sink, now: number): void {
    const no = makeAppIfNew(sink.appId, sink.managedBy, now);
    if (sink.workflowId !== null && selectWorkflow.get({ appId: sink.appId, workflowId: sink.workflowId, version: null }) === undefined) {
      throw new AppError(
        'invalid',
        `workflow_id: app "${sink.appId}" has no workflow "${sink.workflowId}", which ${sink.method} ${sink.path} names; save it first, or leave workflow_id out`,
      );
    }
    const key = patternKey(sink.path);
    const clash = selectClash.get(no, sink.method, key, sink.id) as { id: string; path: string } | undefined;
    if (clash !== undefined) {
      throw new AppError(
        'conflict',
        `${sink.method} ${sink.path} clashes with sink ${clash.id} (${sink.method} ${clash.path}) of app "${sink.appId}"`,
        {
          details: { sink_id: clash.id },
        },
      );
    }
    const { auth, inputs, response, idempotencyKey, webhookOrigins, limits, body, payload } = sink;
    const settings = JSON.stringify({ auth, inputs, response, idempotencyKey, webhookOrigins, limits, body, payload });
    upsertSink({
      id: sink.id,
      app_no: no,
      method: sink.method,
      path: sink.path,
      pattern_key: key,
      workflow_id: sink.workflowId,
      settings,
      managed_by: sink.managedBy,
      created_at: sink.createdAt,
      updated_at: sink.updatedAt,
    });
  }

  function apply(change: DefinitionChange, now: number): void {
    switch (change.kind) {
      case 'put_app':
        upsertApp({ id: change.app.id, name: change.app.name, managed_by: change.managedBy, created_at: now });
        return;
      case 'delete_app':
        return removeApp(change.appId);
      case 'put_workflow':
        return saveWorkflow(change, now);
      case 'delete_workflow':
        return removeWorkflow(change.appId, change.workflowId, now);
      case 'put_sink':
        return saveSink(change.sink, now);
      case 'delete_sink':
        if (deleteSink.run(now, change.sinkId).changes === 0) throw new AppError('not_found', `there is no sink "${change.sinkId}"`);
    }
  }

  return {
    loadDefinitions(): Definitions {
      return {
        apps: selectApps.all() as Definitions['apps'],
        workflows: (selectWorkflows.all() as WorkflowRow[]).map(toWorkflow),
        sinks: (selectSinks.all() as SinkRow[]).map(toSink),
      };
    },
    findWorkflow(appId: string, workflowId: string, version: number | null): WorkflowRecord | null {
      const row = selectWorkflow.get({ appId, workflowId, version }) as WorkflowRow | undefined;
      return row === undefined ? null : toWorkflow(row);
    },
    changeDefinitions(changes: DefinitionChange[], now: number): void {
      for (const change of changes) apply(change, now);
    },
  };
}
