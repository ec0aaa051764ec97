// Calls back when the next piece of work is due. Due times live in the database; this keeps the nearest one alone.

import type { Clock } from '../clock.ts';

/** Timers do not count while the machine sleeps, and server time does: none runs longer than this before it looks again. */
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

  /** Calls back no later than `at`; an infinite time asks for nothing. */
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
