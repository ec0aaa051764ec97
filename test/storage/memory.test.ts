// The storage contract on the in-memory storage of the simulation, so that what it plays is what SQLite does.

import { openMemoryStorage } from '../../scripts/simulate/memory-storage/open-memory-storage.ts';
import { createState, type State } from '../../scripts/simulate/memory-storage/state.ts';
import { HintExchange } from '../../src/storage/hints.ts';
import { describeStorageContract } from './storage-contract.ts';

const hints = new HintExchange();
let state: State | undefined;

describeStorageContract('memory', {
  async open(clock) {
    state ??= createState(clock);
    return openMemoryStorage(state, hints);
  },
  dispose: () => Promise.resolve(),
});
