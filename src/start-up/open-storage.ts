// Opens the storage, and loads the modules that the server needs to plan, send and serve.

import type { MemoryBudget } from '../memory-budget.ts';
import { openSqliteStorage } from '../storage/sqlite/sqlite-storage.ts';
import type { Storage } from '../storage/storage.ts';
import type { Cleanups } from './cleanups.ts';

export interface StorageOptions {
  dataDir: string;
  memory: MemoryBudget;
  acceptLoss: boolean;
  onFatal: (error: Error) => void;
}

export type LoadedModules = Awaited<ReturnType<typeof loadModules>>;

/** Loads the modules while the storage threads start, which saves a third of a cold start. */
export async function openStorage(
  { dataDir, memory, acceptLoss, onFatal }: StorageOptions,
  cleanups: Cleanups,
): Promise<{ storage: Storage; modules: LoadedModules }> {
  const opening = openSqliteStorage({ directory: dataDir, memory: memory.commits, acceptLoss, onFatal });
  const [storage, modules] = await Promise.all([opening, loadModules()]);
  cleanups.add(() => storage.close());
  return { storage, modules };
}

async function loadModules() {
  const [{ createServer }, { builtinStepTypes }, { createSender }] = await Promise.all([
    import('../http/server.ts'),
    import('../steps/builtin.ts'),
    import('../delivery/create-sender.ts'),
  ]);
  return { createServer, builtinStepTypes, createSender };
}
