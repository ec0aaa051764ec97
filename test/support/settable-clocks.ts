// The clocks of a machine whose wall clock a test sets, and which a test sends to sleep. Time passes as it does.

import type { MachineClocks } from '../../src/clock.ts';

export interface SettableClocks extends MachineClocks {
  /** Sets the wall clock, forward or back. */
  set(byMs: number): void;
  /** As after a sleep: the wall clock has gone on, and the clock of elapsed time has not. */
  sleep(ms: number): void;
}

export function settableClocks(): SettableClocks {
  let setBy = 0;
  let slept = 0;
  return {
    wall: () => Date.now() + setBy + slept,
    elapsedMs: () => performance.now(),
    uptimeMs: () => performance.now() + slept,
    set(byMs) {
      setBy += byMs;
    },
    sleep(ms) {
      slept += ms;
    },
  };
}
