// Applies changes of definitions to SQLite, inside the transaction of their batch.

import type { Database } from 'better-sqlite3';
import type { DefinitionChange, DefinitionEdit, EditResult } from '../../definition-store.ts';
import type { DefinitionReader } from './read-definitions.ts';
import { AppWriter } from './write-apps.ts';
import { SinkWriter } from './write-sinks.ts';
import { WorkflowWriter } from './write-workflows.ts';

export class DefinitionWriter {
  readonly #reader: DefinitionReader;
  readonly #sql: ReturnType<typeof prepareStatements>;
  readonly #apps: AppWriter;
  readonly #workflows: WorkflowWriter;
  readonly #sinks: SinkWriter;
  readonly #onSinkChanged: (sinkId: string) => void;

  constructor(database: Database, reader: DefinitionReader, onSinkChanged: (sinkId: string) => void) {
    this.#reader = reader;
    this.#sql = prepareStatements(database);
    this.#apps = new AppWriter(database);
    this.#workflows = new WorkflowWriter(database, this.#apps, reader);
    this.#sinks = new SinkWriter(database, this.#apps, reader);
    this.#onSinkChanged = onSinkChanged;
  }

  changeDefinitions({ id, version, changes, at }: DefinitionEdit): EditResult {
    const current = this.#reader.definitionsVersion();
    const isRepeated = current === version + 1 && this.#sql.selectLastEdit.get() === id;
    if (isRepeated) return { kind: 'changed', definitions: this.#reader.loadDefinitions() };
    if (current !== version) return { kind: 'outdated' };
    for (const change of changes) this.#apply(change, at);
    this.#sql.countEdit.run(id);
    return { kind: 'changed', definitions: this.#reader.loadDefinitions() };
  }

  #apply(change: DefinitionChange, now: number): void {
    switch (change.kind) {
      case 'put_app':
        return this.#apps.put(change.app, change.managedBy, now);
      case 'delete_app':
        return this.#apps.delete(change.appId);
      case 'put_workflow':
        return this.#workflows.put(change, now);
      case 'delete_workflow':
        return this.#workflows.delete(change.appId, change.workflowId, now);
      case 'put_sink':
        this.#sinks.put(change.sink, now);
        return this.#onSinkChanged(change.sink.id);
      case 'delete_sink':
        return this.#sinks.delete(change.sinkId, now);
    }
  }
}

function prepareStatements(database: Database) {
  return {
    selectLastEdit: database.prepare('SELECT last_edit FROM database_state').pluck(),
    countEdit: database.prepare('UPDATE database_state SET definitions_version = definitions_version + 1, last_edit = ?'),
  };
}
