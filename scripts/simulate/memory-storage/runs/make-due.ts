// Makes runs due for the next claim.

import type { StoredRun } from '../records.ts';
import type { State } from '../state.ts';

/** Makes the run due at a time, for any claim, and its lease stale. */
export function release(run: StoredRun, at: number): void {
  run.status = 'queued';
  run.wakeAt = at;
  run.epoch += 1;
}

/** Makes a waiting run due. A run that is being advanced reads the result itself, after it has stored its turn. */
export function wake(state: State, run: StoredRun): void {
  if (run.status !== 'waiting') return;
  run.wakeAt = state.clock();
}
