// Closes the parts of the server in the reverse order of their start.

import type { Logger } from '../logger.ts';

type Cleanup = () => Promise<void> | void;

export class Cleanups {
  readonly #logger: Logger;
  readonly #cleanups: Cleanup[] = [];
  #closing: Promise<void> | undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  add(cleanup: Cleanup): void {
    this.#cleanups.push(cleanup);
  }

  /** Idempotent. Rejects with the first failure, after every cleanup has run; logs further failures. */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  async #closeAll(): Promise<void> {
    const failures: unknown[] = [];
    for (const cleanup of this.#cleanups.splice(0).reverse()) {
      try {
        await cleanup();
      } catch (error) {
        failures.push(error);
      }
    }
    const [first, ...others] = failures;
    for (const error of others) this.#logger.error({ err: error }, 'another part of the server could not close');
    if (failures.length > 0) throw first;
  }
}
