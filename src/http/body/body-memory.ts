// Memory reserved for one request, from the first bytes of its body until its run is on disk.

import type { IncomingMessage } from 'node:http';
import { DECODED_RATIO, LARGE_RUN_BYTES } from '../../core/run/run-weight.ts';
import type { Holder, MemoryBudget } from '../../memory-budget.ts';

export class BodyMemory implements Holder {
  readonly #memory: Pick<MemoryBudget, 'bodies' | 'runs'>;
  readonly #raw: IncomingMessage;
  #bytes = 0;
  #weight = 0;
  #receivedAt = 0;
  #isReceiving = false;

  constructor(memory: Pick<MemoryBudget, 'bodies' | 'runs'>, raw: IncomingMessage) {
    this.#memory = memory;
    this.#raw = raw;
  }

  /** Reserves memory for received bytes. Throws `unavailable` when memory is full. */
  reserve(bytes: number): void {
    this.#memory.bodies.reserve(bytes);
    this.#bytes += bytes;
    // Most bodies arrive in one chunk, and cannot stall.
    if (this.#bytes === Number(this.#raw.headers['content-length'])) return;
    this.#receivedAt = performance.now();
    if (this.#isReceiving) return;
    this.#isReceiving = true;
    this.#memory.bodies.addHolder(this);
  }

  /** Reserves memory to decode the whole body, unless it is decoded in another thread. Throws `unavailable` when memory is full. */
  reserveDecoded(isHere = this.#bytes <= LARGE_RUN_BYTES): void {
    this.#endReceiving();
    if (!isHere) return;
    const weight = DECODED_RATIO * this.#bytes;
    this.#memory.runs.reserve(weight);
    this.#weight = weight;
  }

  stalledMs(): number {
    return performance.now() - this.#receivedAt;
  }

  abort(): void {
    this.release();
    this.#raw.destroy();
  }

  /** May be called more than once. */
  release(): void {
    if (this.#bytes === 0) return;
    this.#endReceiving();
    this.#memory.bodies.release(this.#bytes);
    this.#memory.runs.release(this.#weight);
    this.#bytes = 0;
    this.#weight = 0;
  }

  #endReceiving(): void {
    if (!this.#isReceiving) return;
    this.#isReceiving = false;
    this.#memory.bodies.removeHolder(this);
  }
}
