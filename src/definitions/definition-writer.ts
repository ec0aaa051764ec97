// The one way by which definitions change: one change after another, stored before triggers see it.

import type { Clock } from '../clock.ts';
import type { DefinitionChange } from '../storage/definition-store.ts';
import type { Storage } from '../storage/storage.ts';
import type { Catalog } from './catalog.ts';

export interface DefinitionWriter {
  /** One piece of work after another: each is planned on what the one before has left. */
  inTurn<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Stores all of the changes or none, and resolves when triggers see them. */
  change(...changes: DefinitionChange[]): Promise<void>;
}

export function createDefinitionWriter(storage: Pick<Storage, 'changeDefinitions'>, catalog: Catalog, clock: Clock): DefinitionWriter {
  let lastWork: Promise<unknown> = Promise.resolve();
  return {
    inTurn(work) {
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
