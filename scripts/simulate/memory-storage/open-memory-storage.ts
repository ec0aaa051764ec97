// The storage contract in memory: one owner's promises over a state that other owners share.

import { announceChanges, type HintExchange } from '../../../src/storage/hints.ts';
import type { OpenedStorage, Storage } from '../../../src/storage/storage.ts';
import { createOperations, type OperationName } from './operations.ts';
import type { State } from './state.ts';

export function openMemoryStorage(state: State, hints: HintExchange): OpenedStorage {
  const { owner, slot } = state.owners.add();
  const operations = createOperations(state, owner) as Record<OperationName, (...args: unknown[]) => unknown>;
  let isClosed = false;
  const perform = async (name: OperationName, args: unknown[]): Promise<unknown> => {
    if (isClosed) throw new Error('the storage is closed');
    return operations[name](...args);
  };
  const names = Object.keys(operations) as OperationName[];
  const methods = Object.fromEntries(names.map((name) => [name, (...args: unknown[]) => perform(name, args)]));
  const storage: Storage = {
    ...(methods as unknown as Pick<Storage, OperationName>),
    watch: (listener) => hints.watch(owner, listener),
    async close() {
      isClosed = true;
      state.owners.bury(owner);
      // Earlier calls settle first.
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
  const time = { clock: state.clock, toWall: (at: number) => at, fromWall: (wall: number) => wall, settlesAt: () => 0 };
  return { storage: announceChanges(storage, (hint) => hints.announce(owner, hint)), node: { owner, slot, isAlone: false, time } };
}
