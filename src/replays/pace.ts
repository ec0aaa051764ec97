// Spaces the replays of a job: a few at a time, which share reads and a commit. Lost time is made up for only so far, so
// that no burst follows a pause.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../clock.ts';

/** Replays of so long a time begin together. */
const BURST_MS = 20;

export class Pace {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #intervalMs: number;
  #next = 0;
  #pausedUntil = 0;

  constructor(ratePerSecond: number, clock: Clock, signal: AbortSignal) {
    this.#intervalMs = 1000 / ratePerSecond;
    this.#clock = clock;
    this.#signal = signal;
  }

  /** Resolves when the next replay may begin, or the signal is aborted. */
  async next(): Promise<void> {
    await this.wait(this.#pausedUntil - this.#clock());
    const early = this.#next - this.#clock();
    if (early > 0) await this.wait(early + BURST_MS);
    this.#next = Math.max(this.#next, this.#clock() - BURST_MS) + this.#intervalMs;
  }

  /** No replay begins for so long. */
  async pause(ms: number): Promise<void> {
    this.#pausedUntil = Math.max(this.#pausedUntil, this.#clock() + ms);
    await this.wait(ms);
  }

  async wait(ms: number): Promise<void> {
    if (ms > 0) await sleep(ms, undefined, { signal: this.#signal }).catch(() => undefined);
  }
}
