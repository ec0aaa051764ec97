// The storage of server time (core/run/server-time.ts), for the next start.

import type { ClockStep } from '../core/run/server-time.ts';

export interface ServerTimeStore {
  /**
   * Returns the latest known server time and the steps of the wall clock, oldest first.
   * `seenAt` is null: nothing has been recorded yet.
   */
  readServerTime(): Promise<{ seenAt: number | null; steps: ClockStep[] }>;
  /** Records the current server time and the steps of the wall clock since the last record, all or nothing. */
  recordServerTime(seenAt: number, steps: readonly ClockStep[]): Promise<void>;
}
