// Applies changes of definitions to SQLite, inside the transaction of their batch.

import type { Database } from 'better-sqlite3';
import type { DefinitionChange } from '../../definition-store.ts';
import type { DefinitionReader } from './read-definitions.ts';
import { AppWriter } from './write-apps.ts';
import { SinkWriter } from './write-sinks.ts';
import { WorkflowWriter } from './write-workflows.ts';

export class DefinitionWriter {
  readonly #apps: AppWriter;
  readonly #workflows: WorkflowWriter;
  readonly #sinks: SinkWriter;

  constructor(database: Database, reader: DefinitionReader) {
    this.#apps = new AppWriter(database);
    this.#workflows = new WorkflowWriter(database, this.#apps, reader);
    this.#sinks = new SinkWriter(database, this.#apps, reader);
  }

  changeDefinitions(changes: DefinitionChange[], now: number): void {
    for (const change of changes) this.#apply(change, now);
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
        return this.#sinks.put(change.sink, now);
      case 'delete_sink':
        return this.#sinks.delete(change.sinkId, now);
    }
  }
}
