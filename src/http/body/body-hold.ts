// What one request holds of the server's memory, from the first bytes of its body until its run is on disk.

import type { IncomingMessage } from 'node:http';
import { DECODED_RATIO, LARGE_RUN_BYTES } from '../../core/run/run-weight.ts';
import type { Holder, MemoryBudget } from '../../memory-budget.ts';

export class BodyHold implements Holder {
  readonly #memory: Pick<MemoryBudget, 'bodies' | 'runs'>;
  readonly #raw: IncomingMessage;
  #bytes = 0;
  #weight = 0;
  #cameAt = 0;
  #isWaiting = false;

  constructor(memory: Pick<MemoryBudget, 'bodies' | 'runs'>, raw: IncomingMessage) {
    this.#memory = memory;
    this.#raw = raw;
  }

  /** Bytes that have come, with more to follow. Throws `unavailable` where there is no room for them. */
  take(bytes: number): void {
    this.#memory.bodies.takeOrRefuse(bytes);
    this.#bytes += bytes;
    // Most bodies come in one piece, and wait for nobody.
    if (this.#bytes === Number(this.#raw.headers['content-length'])) return;
    this.#cameAt = performance.now();
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#memory.bodies.addHolder(this);
  }

  /** The body is whole, and about to be decoded: here, unless it is large. Throws `unavailable` where there is no room. */
  decode(isHere = this.#bytes <= LARGE_RUN_BYTES): void {
    this.#endWaiting();
    if (!isHere) return;
    const weight = DECODED_RATIO * this.#bytes;
    this.#memory.runs.takeOrRefuse(weight);
    this.#weight = weight;
  }

  stalledMs(): number {
    return performance.now() - this.#cameAt;
  }

  cut(): void {
    this.release();
    this.#raw.destroy();
  }

  /** Without effect when it was released before. */
  release(): void {
    if (this.#bytes === 0) return;
    this.#endWaiting();
    this.#memory.bodies.give(this.#bytes);
    this.#memory.runs.give(this.#weight);
    this.#bytes = 0;
    this.#weight = 0;
  }

  #endWaiting(): void {
    if (!this.#isWaiting) return;
    this.#isWaiting = false;
    this.#memory.bodies.removeHolder(this);
  }
}
