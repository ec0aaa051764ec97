// Writes all changes of definitions, one after the other. Each is stored before triggers see it. If another process has changed
// the definitions meanwhile, the change is planned again on the new ones.

import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';
import { newEditId } from '../ids.ts';
import { MAX_REPEATS, pauseBefore, repeatUnknown } from '../repetition.ts';
import type { DefinitionChange } from '../storage/definition-store.ts';
import type { Storage } from '../storage/storage.ts';
import type { Catalog } from './catalog.ts';

export interface DefinitionWriter {
  /** Runs work serially, so that each change is planned on the state that the previous one left. Work may run again. */
  serially<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Stores all of the changes or none, and resolves when triggers see them. To be called within `serially`. */
  change(...changes: DefinitionChange[]): Promise<void>;
}

/** The definitions have changed since the catalog was loaded. */
class Outdated extends Error {}

export function createDefinitionWriter(storage: Pick<Storage, 'changeDefinitions'>, catalog: Catalog, clock: Clock): DefinitionWriter {
  let lastWork: Promise<unknown> = Promise.resolve();

  async function runOnNewest<Result>(work: () => Promise<Result>): Promise<Result> {
    for (let repetition = 1; repetition <= MAX_REPEATS; repetition += 1) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof Outdated)) throw error;
        await pauseBefore(repetition);
        await catalog.reload();
      }
    }
    throw new AppError('unavailable', 'other processes keep changing the definitions; try again', { retryAfterSeconds: 1 });
  }

  return {
    serially(work) {
      const done = lastWork.then(() => runOnNewest(work));
      lastWork = done.catch(() => undefined);
      return done;
    },
    async change(...changes) {
      const edit = { id: newEditId(), version: catalog.current().version, changes, at: clock() };
      const store = (): ReturnType<Storage['changeDefinitions']> => storage.changeDefinitions(edit);
      const result = await store().catch((error: unknown) => repeatUnknown(error, store));
      if (result.kind === 'outdated') throw new Outdated();
      catalog.use(result.definitions);
    },
  };
}
