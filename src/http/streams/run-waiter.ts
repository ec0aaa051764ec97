// Waits for the end of a run, for callers who want one document instead of a stream.

import { isTerminal } from '../../core/run/run.ts';
import { isEnd } from '../../core/run/run-event.ts';
import type { RunFeed } from '../../engine/run-feed.ts';
import type { RunOutcomeRecord } from '../../storage/run-records.ts';
import type { StoredRead, StoredReads } from './stored-reads.ts';

/** Resolves to the ended run. Null when the time passes or the caller disconnects first. */
export type WaitForEnd = (runId: string, waitMs: number, gone: AbortSignal) => Promise<StoredRead<RunOutcomeRecord> | null>;

export function createRunWaiter(reads: Pick<StoredReads, 'outcome' | 'release'>, feed: RunFeed): WaitForEnd {
  return async (runId, waitMs, gone) => {
    let unwatch = (): void => undefined;
    let timer: NodeJS.Timeout | undefined;
    const ended = new Promise<boolean>((resolve) => {
      unwatch = feed.watch(runId, (events) => {
        if (events.some(isEnd)) resolve(true);
      });
      timer = setTimeout(() => resolve(false), waitMs);
      gone.addEventListener('abort', () => resolve(false), { once: true });
    });
    try {
      const run = await reads.outcome(runId);
      if (run === null || isTerminal(run.value.status)) return run;
      reads.release(run.reservedBytes);
      return (await ended) ? await reads.outcome(runId) : null;
    } finally {
      unwatch();
      clearTimeout(timer);
    }
  };
}
