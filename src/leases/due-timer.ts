// Calls back when the next work is due. It keeps only the nearest due time; the others are in the database.

import type { Clock } from '../clock.ts';

/** Timers stop while the machine sleeps, but server time does not: no timer runs longer before it checks the time. */
const LONGEST_TIMER_MS = 1000;

export class DueTimer {
  readonly #clock: Clock;
  readonly #onDue: () => void;
  #timer: NodeJS.Timeout | undefined;
  #scheduledAt = Number.POSITIVE_INFINITY;
  #isStopped = false;

  constructor(clock: Clock, onDue: () => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** Calls back no later than `at`, in ms of server time; never for an infinite time. */
  scheduleAt(at: number): void {
    if (this.#isStopped || at >= this.#scheduledAt) return;
    clearTimeout(this.#timer);
    this.#scheduledAt = at;
    this.#wait(Math.max(at - this.#clock(), 0));
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(() => this.#look(), Math.min(ms, LONGEST_TIMER_MS));
  }

  #look(): void {
    const waitMs = this.#scheduledAt - this.#clock();
    if (waitMs > 0) return this.#wait(waitMs);
    this.#scheduledAt = Number.POSITIVE_INFINITY;
    this.#onDue();
  }
}
