// Calls back when the next run is due. Due times live in the database; this only keeps the nearest one.

import type { Clock } from '../clock.ts';

export interface DueTimer {
  /** Makes sure that the callback comes no later than `at`. */
  wakeBy(at: number): void;
  stop(): void;
}

/** Timers do not count while the machine sleeps, and server time does: none runs longer than this before it looks again. */
const LONGEST_TIMER_MS = 1000;

export function createDueTimer(clock: Clock, onDue: () => void): DueTimer {
  let timer: NodeJS.Timeout | undefined;
  let plannedFor = Number.POSITIVE_INFINITY;
  let isStopped = false;

  function look(): void {
    const waitMs = plannedFor - clock();
    if (waitMs > 0) {
      timer = setTimeout(look, Math.min(waitMs, LONGEST_TIMER_MS));
      return;
    }
    plannedFor = Number.POSITIVE_INFINITY;
    onDue();
  }

  return {
    wakeBy(at) {
      if (isStopped || at >= plannedFor) return;
      clearTimeout(timer);
      plannedFor = at;
      timer = setTimeout(look, Math.min(Math.max(at - clock(), 0), LONGEST_TIMER_MS));
    },
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
