// Removes ended runs beyond the configured age and size, a few at a time, and files that no run refers to. After the
// wall clock was set, removal by age pauses, because the new time may be wrong.

import type { Clock } from '../clock.ts';
import type { BlobStore } from '../files/blobs.ts';
import type { Logger } from '../logger.ts';
import type { Storage } from '../storage/storage.ts';

export interface RetentionOptions {
  storage: Pick<Storage, 'pruneRuns' | 'findUnreferencedBlobs'>;
  blobs: Pick<BlobStore, 'sweep'>;
  /** Server time, by which runs age; files age by the wall clock. */
  clock: Clock;
  wallClock: Clock;
  /** Nothing is removed by age before this time. */
  settlesAt: () => number;
  logger: Logger;
  maxAgeMs: number | null;
  maxBytes: number | null;
}

const EVERY_MS = 60_000;
const RUNS_AT_A_TIME = 200;
/** If files take the space: runs removed before the space is measured again. */
const RUNS_WITH_FILES_AT_A_TIME = 20;
/** A file younger than this may belong to a request that is still being read. */
const BLOB_MIN_AGE_MS = 3_600_000;

/** Runs the first round at once, and one each minute. */
export function startRetention(options: RetentionOptions): Retention {
  const retention = new Retention(options);
  void retention.run();
  return retention;
}

class Retention {
  readonly #options: RetentionOptions;
  readonly #closing = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #round: Promise<void> = Promise.resolve();

  constructor(options: RetentionOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.run(), EVERY_MS);
  }

  /** Runs one round, after the one in progress. Never rejects. */
  run(): Promise<void> {
    this.#round = this.#round.then(() => (this.#isClosing ? undefined : this.#prune()));
    return this.#round;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    clearInterval(this.#timer);
    await this.#round;
  }

  get #isClosing(): boolean {
    return this.#closing.signal.aborted;
  }

  get #isSettled(): boolean {
    return this.#options.clock() >= this.#options.settlesAt();
  }

  async #prune(): Promise<void> {
    const { logger } = this.#options;
    try {
      const removed = (await this.#pruneRows()) + (await this.#pruneFiles());
      if (removed > 0) logger.info({ runs: removed }, 'removed runs beyond retention');
    } catch (error) {
      logger.warn({ err: error }, 'retention could not run; trying again later');
    }
  }

  /** Removes runs that are too old, and runs while the database alone is too large. */
  async #pruneRows(): Promise<number> {
    const { storage, clock, maxAgeMs, maxBytes } = this.#options;
    let removed = 0;
    for (let count = RUNS_AT_A_TIME; count === RUNS_AT_A_TIME && !this.#isClosing; removed += count) {
      const before = maxAgeMs === null || !this.#isSettled ? null : clock() - maxAgeMs;
      count = await storage.pruneRuns({ before, maxBytes, limit: RUNS_AT_A_TIME });
    }
    return removed;
  }

  /** Sweeps files, and removes more runs while files and database together are too large. */
  async #pruneFiles(): Promise<number> {
    const { storage, maxBytes } = this.#options;
    let removed = 0;
    if (!this.#isSettled) return removed;
    for (let count = RUNS_WITH_FILES_AT_A_TIME; count === RUNS_WITH_FILES_AT_A_TIME && !this.#isClosing; removed += count) {
      const fileBytes = await this.#sweep();
      if (maxBytes === null || fileBytes === 0 || this.#isClosing) break;
      const limits = { before: null, maxBytes: Math.max(0, maxBytes - fileBytes), limit: RUNS_WITH_FILES_AT_A_TIME };
      count = await storage.pruneRuns(limits);
    }
    return removed;
  }

  /** Returns the bytes of the files that stay. */
  #sweep(): Promise<number> {
    const { storage, blobs, wallClock } = this.#options;
    const limits = { minAgeMs: BLOB_MIN_AGE_MS, now: wallClock(), signal: this.#closing.signal };
    return blobs.sweep((hashes) => storage.findUnreferencedBlobs(hashes), limits);
  }
}
