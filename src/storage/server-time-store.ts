// What the storage keeps of server time (core/run/server-time.ts), for the next start.

import type { ClockStep } from '../core/run/server-time.ts';

export interface ServerTimeStore {
  /** How far server time had come when it was last noted, null before the first time, and how the wall clock stood to it. */
  readServerTime(): Promise<{ seenAt: number | null; steps: ClockStep[] }>;
  /** Notes how far server time has come, and where the wall clock was set since. */
  recordServerTime(seenAt: number, steps: readonly ClockStep[]): Promise<void>;
}
