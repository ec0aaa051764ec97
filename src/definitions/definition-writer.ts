// Writes all changes of definitions, one after the other. Each is stored before triggers see it.

import type { Clock } from '../clock.ts';
import type { DefinitionChange } from '../storage/definition-store.ts';
import type { Storage } from '../storage/storage.ts';
import type { Catalog } from './catalog.ts';

export interface DefinitionWriter {
  /** Runs work serially, so that each change is planned on the state that the previous one left. */
  serially<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Stores all of the changes or none, and resolves when triggers see them. */
  change(...changes: DefinitionChange[]): Promise<void>;
}

export function createDefinitionWriter(storage: Pick<Storage, 'changeDefinitions'>, catalog: Catalog, clock: Clock): DefinitionWriter {
  let lastWork: Promise<unknown> = Promise.resolve();
  return {
    serially(work) {
      const done = lastWork.then(work);
      lastWork = done.catch(() => undefined);
      return done;
    },
    async change(...changes) {
      await storage.changeDefinitions(changes, clock());
      await catalog.reload();
    },
  };
}
