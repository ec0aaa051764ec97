// The clocks of a machine whose wall clock a test can set, and which a test can suspend. Time passes normally otherwise.

import type { MachineClocks } from '../../src/clock.ts';

export interface SettableClocks extends MachineClocks {
  /** Sets the wall clock, forward or back. */
  set(byMs: number): void;
  /** Simulates a sleep: the wall clock advances, and the clock of elapsed time does not. */
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
