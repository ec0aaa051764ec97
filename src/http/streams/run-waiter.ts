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
    const news = watchForEnd(runId, feed);
    const timer = setTimeout(news.expire, waitMs);
    gone.addEventListener('abort', news.expire, { once: true });
    try {
      for (;;) {
        const run = await reads.outcome(runId);
        if (run === null || isTerminal(run.value.status)) return run;
        reads.release(run.reservedBytes);
        if ((await news.next()) === 'expired') return null;
      }
    } finally {
      news.stop();
      clearTimeout(timer);
      gone.removeEventListener('abort', news.expire);
    }
  };
}

/** `next` resolves once the run has ended or may have: to be read in storage. News that come before it count as well. */
function watchForEnd(runId: string, feed: RunFeed) {
  let hasNews = false;
  let isExpired = false;
  let announce: () => void = () => undefined;
  const stop = feed.watch(runId, (events) => {
    if (events.length > 0 && !events.some(isEnd)) return;
    hasNews = true;
    announce();
  });
  return {
    stop,
    expire(): void {
      isExpired = true;
      announce();
    },
    async next(): Promise<'news' | 'expired'> {
      if (!hasNews && !isExpired) {
        await new Promise<void>((resolve) => {
          announce = resolve;
        });
      }
      hasNews = false;
      return isExpired ? 'expired' : 'news';
    },
  };
}
