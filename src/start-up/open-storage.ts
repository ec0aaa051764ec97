// Opens the storage, and loads the modules that the server needs to plan, send and serve.

import type { MachineClocks } from '../clock.ts';
import type { Logger } from '../logger.ts';
import type { MemoryBudget } from '../memory-budget.ts';
import { openSqliteStorage } from '../storage/sqlite/sqlite-storage.ts';
import type { OpenedStorage } from '../storage/storage.ts';
import type { Cleanups } from './cleanups.ts';

export interface StorageOptions {
  dataDir: string;
  memory: MemoryBudget;
  acceptLoss: boolean;
  clocks: MachineClocks;
  logger: Logger;
  onFatal: (error: Error) => void;
}

export type LoadedModules = Awaited<ReturnType<typeof loadModules>>;

/** Loads the modules while the storage threads start, which saves a third of a cold start. */
export async function openStorage(
  { dataDir, memory, ...options }: StorageOptions,
  cleanups: Cleanups,
): Promise<OpenedStorage & { modules: LoadedModules }> {
  const opening = openSqliteStorage({ ...options, directory: dataDir, memory: memory.commits });
  const [{ storage, node }, modules] = await Promise.all([opening, loadModules()]);
  cleanups.add(() => storage.close());
  return { storage, node, modules };
}

async function loadModules() {
  const [{ createServer }, { builtinStepTypes }, { createSender }, { DocumentFetcher }] = await Promise.all([
    import('../http/server.ts'),
    import('../steps/builtin.ts'),
    import('../delivery/create-sender.ts'),
    import('../delivery/http/fetch-document.ts'),
  ]);
  return { createServer, builtinStepTypes, createSender, DocumentFetcher };
}
