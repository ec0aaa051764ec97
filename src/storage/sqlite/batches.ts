// Runs the operations of a batch inside a storage thread, and sorts what goes wrong: one operation is refused alone, but
// where no operation would fare better all of them are.

import type { Batch, BatchResult } from '../commit-queue.ts';
import { FatalStorageError, type FaultMessage, packFault, storageFault } from '../storage-fault.ts';

export type Operations = Record<string, (...args: unknown[]) => unknown>;
export type RunOperation = (name: string, args: unknown[]) => unknown;
export type ThreadResult = BatchResult<FaultMessage>;

/** What a storage thread does. */
export interface Role {
  run(batch: Batch): ThreadResult;
  /** Called once a second. Throws a FatalStorageError when the files cannot be trusted any more. */
  tend?(): void;
  close(): void;
}

export function callIn(operations: Operations): RunOperation {
  return (name, args) => (operations[name] as (...args: unknown[]) => unknown)(...args);
}

/** Throws as soon as one operation is refused. */
export function runEach(batch: Batch, run: RunOperation): ThreadResult {
  const values: unknown[] = [];
  for (let index = 0; index < batch.length; index += 2) values.push(run(batch[index] as string, batch[index + 1] as unknown[]));
  return { values, faults: [] };
}

/** Throws only what no operation of the batch would survive. */
export function runEachAlone(batch: Batch, run: RunOperation): ThreadResult {
  const faults: ThreadResult['faults'] = [];
  let index = -1;
  const { values } = runEach(batch, (name, args) => {
    index += 1;
    try {
      return run(name, args);
    } catch (error) {
      if (concernsWholeBatch(error)) throw error;
      faults.push({ index, fault: packFault(error) });
      return null;
    }
  });
  return { values, faults };
}

export function refuseAll(batch: Batch, error: unknown): ThreadResult {
  const fault = packFault(error);
  return { values: [], faults: Array.from({ length: batch.length / 2 }, (_, index) => ({ index, fault })) };
}

/** Locked, full or broken: no operation of the batch would fare better alone. */
export function concernsWholeBatch(error: unknown): boolean {
  const fault = storageFault(error);
  return fault !== error || fault instanceof FatalStorageError;
}
