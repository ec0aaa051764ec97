// Removes ended runs beyond the configured age and size, a few at a time, and files that no run refers to. After the
// wall clock was set, removal by age pauses: which of the times is right is not known yet.

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

export interface RetentionTask {
  /** Runs one round now. */
  run(): Promise<void>;
  close(): Promise<void>;
}

const EVERY_MS = 60_000;
const RUNS_AT_A_TIME = 200;
/** Where files take the space: runs removed before the space is measured again. */
const RUNS_WITH_FILES_AT_A_TIME = 20;
/** A file younger than this may belong to a request that is still being read. */
const BLOB_MIN_AGE_MS = 3_600_000;

export function startRetention(options: RetentionOptions): RetentionTask {
  const { storage, blobs, clock, wallClock, settlesAt, logger, maxAgeMs, maxBytes } = options;
  const closing = new AbortController();
  let round: Promise<void> = Promise.resolve();

  const sweep = (): Promise<number> =>
    blobs.sweep((hashes) => storage.findUnreferencedBlobs(hashes), { minAgeMs: BLOB_MIN_AGE_MS, now: wallClock(), signal: closing.signal });
  const isSettled = (): boolean => clock() >= settlesAt();

  /** Removes runs that are too old, and runs while the database alone is too large. */
  async function pruneRows(): Promise<number> {
    let removed = 0;
    for (let count = RUNS_AT_A_TIME; count === RUNS_AT_A_TIME && !closing.signal.aborted; removed += count) {
      const now = clock();
      const before = maxAgeMs === null || !isSettled() ? null : now - maxAgeMs;
      count = await storage.pruneRuns({ before, maxBytes, limit: RUNS_AT_A_TIME }, now);
    }
    return removed;
  }

  /** Sweeps files, and removes more runs while files and database together are too large. */
  async function pruneFiles(): Promise<number> {
    let removed = 0;
    if (!isSettled()) return removed;
    for (let count = RUNS_WITH_FILES_AT_A_TIME; count === RUNS_WITH_FILES_AT_A_TIME && !closing.signal.aborted; removed += count) {
      const fileBytes = await sweep();
      if (maxBytes === null || fileBytes === 0 || closing.signal.aborted) break;
      const limits = { before: null, maxBytes: Math.max(0, maxBytes - fileBytes), limit: RUNS_WITH_FILES_AT_A_TIME };
      count = await storage.pruneRuns(limits, clock());
    }
    return removed;
  }

  async function prune(): Promise<void> {
    try {
      const removed = (await pruneRows()) + (await pruneFiles());
      if (removed > 0) logger.info({ runs: removed }, 'removed runs beyond retention');
    } catch (error) {
      logger.warn({ err: error }, 'retention could not run; trying again later');
    }
  }

  const run = (): Promise<void> => {
    round = round.then(() => (closing.signal.aborted ? undefined : prune()));
    return round;
  };
  const timer = setInterval(() => void run(), EVERY_MS);
  void run();

  return {
    run,
    async close() {
      closing.abort();
      clearInterval(timer);
      await round;
    },
  };
}
