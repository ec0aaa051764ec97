// Reads of stored runs, whose outputs may be large: what a read takes is accounted for before it begins, and until its
// answer is sent. Small ones are read at once, large ones one after the other, so that others are served in between.

import { createInTurn } from '../../core/values/in-turn.ts';
import type { MemoryAccount } from '../../memory-budget.ts';
import type { RunOutcomeRecord, RunRecord, StoredEvents } from '../../storage/run-records.ts';
import type { Storage } from '../../storage/storage.ts';

export interface Held<Value> {
  value: Value;
  /** Of the account, to be given back once the answer is sent. */
  held: number;
}

/** All reject with `unavailable` when there is no room in time, and resolve to null for a run that is not stored. */
export interface StoredReads {
  events(runId: string, after: number): Promise<Held<StoredEvents> | null>;
  outcome(runId: string): Promise<Held<RunOutcomeRecord> | null>;
  run(runId: string): Promise<Held<RunRecord> | null>;
  /** For what is not answered. */
  giveBack(held: number): void;
}

const SMALL_BYTES = 65_536;
/** As it is read, as the text of the answer, and as its bytes. */
const COPIES = 3;
const MAX_WAIT_MS = 10_000;

export function createStoredReads(
  storage: Pick<Storage, 'findStream' | 'readEvents' | 'getOutcome' | 'getRun'>,
  account: MemoryAccount,
): StoredReads {
  const inTurn = createInTurn();

  async function hold<Value>(runId: string, withRequest: boolean, read: () => Promise<Value | null>): Promise<Held<Value> | null> {
    const stored = await storage.findStream(runId);
    if (stored === null) return null;
    const bytes = stored.bytes + (withRequest ? stored.requestBytes : 0);
    const held = bytes <= SMALL_BYTES ? 0 : COPIES * bytes;
    if (held > 0) await account.takeInTurn(held, MAX_WAIT_MS);
    try {
      const value = await (held > 0 ? inTurn(read) : read());
      if (value !== null) return { value, held };
    } catch (error) {
      account.give(held);
      throw error;
    }
    account.give(held);
    return null;
  }

  return {
    events: (runId, after) => hold(runId, false, () => storage.readEvents(runId, after)),
    outcome: (runId) => hold(runId, false, () => storage.getOutcome(runId)),
    run: (runId) => hold(runId, true, () => storage.getRun(runId)),
    giveBack: (held) => account.give(held),
  };
}
