// The machine's clocks, injected so that tests can set the time. The only reader of Date.now in src.

import { uptime } from 'node:os';

/** Returns the current time in integer milliseconds since the Unix epoch. */
export type Clock = () => number;

export interface MachineClocks {
  /** The wall clock: usually right, but it can be set. */
  wall: Clock;
  /** Milliseconds since an arbitrary moment. Monotonic; does not count while the machine sleeps. */
  elapsedMs: () => number;
  /** As `elapsedMs`, including sleep, in steps of up to a second. */
  uptimeMs: () => number;
}

export const systemClock: Clock = () => Date.now();

export const machineClocks: MachineClocks = {
  wall: systemClock,
  elapsedMs: () => performance.now(),
  uptimeMs: () => uptime() * 1000,
};
