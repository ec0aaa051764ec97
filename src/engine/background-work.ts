// Work that continues after its caller was answered. A drain waits for it.

import type { Logger } from '../logger.ts';

export class BackgroundWork {
  readonly #working = new Set<Promise<unknown>>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  get size(): number {
    return this.#working.size;
  }

  /** A failure is logged. */
  readonly track = (work: Promise<unknown>): void => {
    const tracked = work
      .catch((error: unknown) => this.#logger.error({ err: error }, 'the engine failed'))
      .finally(() => this.#working.delete(tracked));
    this.#working.add(tracked);
  };

  /** Resolves once all work has ended, also work that began meanwhile. */
  async ended(): Promise<void> {
    while (this.#working.size > 0) await Promise.all(this.#working);
  }
}
