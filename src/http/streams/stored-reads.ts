// Reads stored runs, whose outputs may be large. Memory is reserved before a large read, until its answer is sent. Large
// reads follow one another, so that small ones are served in between.

import { createSerialQueue } from '../../core/values/serial-queue.ts';
import type { MemoryAccount } from '../../memory-budget.ts';
import type { RunOutcomeRecord, RunRecord, StoredEvents } from '../../storage/runs/run-queries.ts';
import type { Storage } from '../../storage/storage.ts';

export interface StoredRead<Value> {
  value: Value;
  /** Reserved in the account; to be released once the answer is sent. */
  reservedBytes: number;
}

/** All reads reject with `unavailable` when memory does not become free in time. Null when the run is not stored. */
export interface StoredReads {
  events(runId: string, after: number): Promise<StoredRead<StoredEvents> | null>;
  outcome(runId: string): Promise<StoredRead<RunOutcomeRecord> | null>;
  run(runId: string): Promise<StoredRead<RunRecord> | null>;
  /** For a read whose answer is not sent. */
  release(reservedBytes: number): void;
}

const SMALL_BYTES = 65_536;
/** The read itself, the answer's text, and the answer's bytes. */
const COPIES = 3;
const MAX_WAIT_MS = 10_000;

export function createStoredReads(
  storage: Pick<Storage, 'findStream' | 'readEvents' | 'getOutcome' | 'getRun'>,
  account: MemoryAccount,
): StoredReads {
  const serially = createSerialQueue();

  async function readReserved<Value>(
    runId: string,
    withRequest: boolean,
    read: () => Promise<Value | null>,
  ): Promise<StoredRead<Value> | null> {
    const stored = await storage.findStream(runId);
    if (stored === null) return null;
    const bytes = stored.bytes + (withRequest ? stored.requestBytes : 0);
    const reservedBytes = bytes <= SMALL_BYTES ? 0 : COPIES * bytes;
    if (reservedBytes > 0) await account.reserveSerially(reservedBytes, MAX_WAIT_MS);
    try {
      const value = await (reservedBytes > 0 ? serially(read) : read());
      if (value !== null) return { value, reservedBytes };
    } catch (error) {
      account.release(reservedBytes);
      throw error;
    }
    account.release(reservedBytes);
    return null;
  }

  return {
    events: (runId, after) => readReserved(runId, false, () => storage.readEvents(runId, after)),
    outcome: (runId) => readReserved(runId, false, () => storage.getOutcome(runId)),
    run: (runId) => readReserved(runId, true, () => storage.getRun(runId)),
    release: (reservedBytes) => account.release(reservedBytes),
  };
}
