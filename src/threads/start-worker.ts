// Starts a module of this program as a thread, from the source or from dist.

import { join } from 'node:path';
import { Worker, type WorkerOptions } from 'node:worker_threads';
import { PROGRAM_FOLDER } from '../program-files.ts';

const IS_SOURCE = import.meta.url.endsWith('.ts');

/** The entries of threads, by their paths in src. dist has a bundle of each at the same path. */
export type ThreadEntry = 'run-thread' | 'intake/payload-thread' | 'storage/sqlite/storage-thread';

/** On Node 20 a thread does not inherit the loader of TypeScript, so that each one registers its own. */
export function startWorker(entry: ThreadEntry, options: WorkerOptions): Worker {
  if (!IS_SOURCE) return new Worker(join(PROGRAM_FOLDER, 'scripts/run-bundle.cjs'), { ...options, argv: [entry], execArgv: [] });
  return new Worker(join(PROGRAM_FOLDER, 'src', `${entry}.ts`), {
    ...options,
    execArgv: ['--import', new URL('./typescript.mjs', import.meta.url).href],
  });
}
