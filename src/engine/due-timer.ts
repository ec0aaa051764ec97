// Calls back when the next run is due. Due times live in the database; this only keeps the nearest one.

import type { Clock } from '../clock.ts';

export interface DueTimer {
  /** Makes sure that the callback comes no later than `at`. */
  wakeBy(at: number): void;
  stop(): void;
}

/** The wall clock may jump, so no timer sleeps longer than this before it looks again. */
const LONGEST_SLEEP_MS = 30_000;

export function createDueTimer(clock: Clock, onDue: () => void): DueTimer {
  let timer: NodeJS.Timeout | undefined;
  let plannedFor = Number.POSITIVE_INFINITY;
  let isStopped = false;

  function plan(at: number): void {
    clearTimeout(timer);
    plannedFor = at;
    timer = setTimeout(
      () => {
        plannedFor = Number.POSITIVE_INFINITY;
        onDue();
      },
      Math.min(Math.max(at - clock(), 0), LONGEST_SLEEP_MS),
    );
  }

  return {
    wakeBy(at) {
      if (!isStopped && at < plannedFor) plan(at);
    },
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
