// Stores and deletes sinks in SQLite.

import type { Database } from 'better-sqlite3';
import { workflowIdsOf } from '../../../core/sink/fan-out-setting.ts';
import type { Sink } from '../../../core/sink/sink.ts';
import { patternKey } from '../../../core/sink/sink-path.ts';
import { AppError } from '../../../errors.ts';
import { sinks } from './definition-rows.ts';
import type { DefinitionReader } from './read-definitions.ts';
import { ScheduleWriter } from './schedules.ts';
import type { AppWriter } from './write-apps.ts';

export class SinkWriter {
  readonly #sql: ReturnType<typeof prepareStatements>;
  readonly #apps: AppWriter;
  readonly #reader: DefinitionReader;
  readonly #schedules: ScheduleWriter;

  constructor(database: Database, apps: AppWriter, reader: DefinitionReader) {
    this.#sql = prepareStatements(database);
    this.#apps = apps;
    this.#reader = reader;
    this.#schedules = new ScheduleWriter(database);
  }

  put(sink: Sink, now: number): void {
    const appNo = this.#apps.numberOrCreate(sink.appId, sink.managedBy, now);
    const key = patternKey(sink.path);
    this.#refuseUnknownWorkflow(sink);
    this.#refuseClash(sink, appNo, key);
    const {
      auth,
      workflows,
      inputs,
      response,
      idempotencyKey,
      idempotencyHours,
      webhookOrigins,
      split,
      flow,
      schedules,
      allowFrom,
      blockFrom,
      rate,
      publicUrl,
      limits,
      body,
      payload,
    } = sink;
    const { cors, spam, schema } = sink;
    this.#sql.upsert({
      id: sink.id,
      app_no: appNo,
      method: sink.method,
      path: sink.path,
      pattern_key: key,
      workflow_id: sink.workflowId,
      settings: JSON.stringify({
        auth,
        workflows,
        inputs,
        response,
        idempotencyKey,
        idempotencyHours,
        webhookOrigins,
        split,
        schedules,
        flow,
        allowFrom,
        blockFrom,
        rate,
        publicUrl,
        limits,
        body,
        payload,
        cors,
        spam,
        schema,
      }),
      managed_by: sink.managedBy,
      created_at: sink.createdAt,
      updated_at: sink.updatedAt,
    });
    this.#schedules.keep(sink.id, schedules ?? [], now);
  }

  /** Marks the sink as deleted: its runs still name it. They are samples no longer. */
  delete(sinkId: string, now: number): void {
    if (this.#sql.delete.run(now, sinkId).changes === 0) throw new AppError('not_found', `there is no sink "${sinkId}"`);
    this.#schedules.delete(sinkId);
    this.#sql.deleteSamples.run(sinkId);
  }

  #refuseUnknownWorkflow(sink: Sink): void {
    const { appId, method, path } = sink;
    const unknown = workflowIdsOf(sink).find((id) => this.#reader.findWorkflow(appId, id, null) === null);
    if (unknown === undefined) return;
    const [field, advice] =
      sink.workflowId === null
        ? (['workflows', 'save it first'] as const)
        : (['workflow_id', 'save it first, or leave workflow_id out'] as const);
    throw new AppError('invalid', `${field}: app "${appId}" has no workflow "${unknown}", which ${method} ${path} names; ${advice}`);
  }

  #refuseClash({ appId, id, method, path }: Sink, appNo: number, key: string): void {
    const clash = this.#sql.selectClash.get(appNo, method, key, id) as { id: string; path: string } | undefined;
    if (clash === undefined) return;
    throw new AppError('conflict', `${method} ${path} clashes with sink ${clash.id} (${method} ${clash.path}) of app "${appId}"`, {
      details: { sink_id: clash.id },
    });
  }
}

function prepareStatements(database: Database) {
  return {
    selectClash: database.prepare(
      'SELECT id, path FROM sinks WHERE app_no = ? AND method = ? AND pattern_key = ? AND deleted_at IS NULL AND id <> ?',
    ),
    upsert: sinks.upsert(database, { key: ['id'], keeps: ['app_no', 'created_at'] }),
    deleteSamples: database.prepare('DELETE FROM samples WHERE sink_no = (SELECT no FROM sinks WHERE id = ?)'),
    delete: database.prepare('UPDATE sinks SET deleted_at = ? WHERE id = ? AND deleted_at IS NULL'),
  };
}
