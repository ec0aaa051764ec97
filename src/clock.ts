// What the machine says of time, injected so that tests own it. The only reader of Date.now in src.

import { uptime } from 'node:os';

/** Returns the present as integer milliseconds since the Unix epoch. */
export type Clock = () => number;

export interface MachineClocks {
  /** The clock on the wall: right as a rule, but somebody may set it. */
  wall: Clock;
  /** Milliseconds that have passed since some moment. Cannot be set; does not count while the machine sleeps. */
  elapsedMs: () => number;
  /** The same with the time that the machine slept, in steps of up to a second. */
  uptimeMs: () => number;
}

export const systemClock: Clock = () => Date.now();

export const machineClocks: MachineClocks = {
  wall: systemClock,
  elapsedMs: () => performance.now(),
  uptimeMs: () => uptime() * 1000,
};
