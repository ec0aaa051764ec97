// Starts a module of this program as a thread, from the source or from the emitted program.

import { Worker, type WorkerOptions } from 'node:worker_threads';

const IS_SOURCE = import.meta.url.endsWith('.ts');

/**
 * `source` is the module's address as the source has it, ending in `.ts`. On Node 20 a thread does not inherit the loader
 * of TypeScript, so that each one registers its own.
 */
export function startWorker(source: URL, options: WorkerOptions): Worker {
  if (!IS_SOURCE) return new Worker(new URL(source.href.replace(/\.ts$/, '.js')), { ...options, execArgv: [] });
  return new Worker(source, { ...options, execArgv: ['--import', new URL('./typescript.mjs', import.meta.url).href] });
}
