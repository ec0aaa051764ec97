// Runs the operations of a batch inside a storage thread. A fault of one operation refuses that operation alone; a fault that
// any operation would meet refuses the whole batch.

import type { Batch, BatchResult } from '../commit-queue.ts';
import { FatalStorageError, type FaultMessage, packFault, storageFault } from '../storage-fault.ts';

export type Operations = Record<string, (...args: unknown[]) => unknown>;
export type RunOperation = (name: string, args: unknown[]) => unknown;
export type ThreadResult = BatchResult<FaultMessage>;

/** The work of a storage thread: that of the writer or of the reader. */
export interface Role {
  run(batch: Batch): ThreadResult;
  /** Called once a second. Throws a FatalStorageError if the files cannot be trusted any more. */
  tend?(): void;
  close(): void;
}

/** Returns a function that calls an operation by name. */
export function callIn(operations: Operations): RunOperation {
  return (name, args) => (operations[name] as (...args: unknown[]) => unknown)(...args);
}

/** Runs all operations. Throws as soon as one is refused. */
export function runEach(batch: Batch, run: RunOperation): ThreadResult {
  const values: unknown[] = [];
  for (let index = 0; index < batch.length; index += 2) values.push(run(batch[index] as string, batch[index + 1] as unknown[]));
  return { values, faults: [] };
}

/** Runs all operations, each refused alone. Throws only for a fault of the whole batch. */
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

/** A locked, full or damaged database: every operation of the batch would fail. */
export function concernsWholeBatch(error: unknown): boolean {
  const fault = storageFault(error);
  return fault !== error || fault instanceof FatalStorageError;
}
