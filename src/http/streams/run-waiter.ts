// Waits for the end of a run, or for the answer of one of its steps, for callers who want one answer instead of a stream.

import { isTerminal } from '../../core/run/run.ts';
import { isAnswer } from '../../core/run/run-answer.ts';
import { isEnd } from '../../core/run/run-event.ts';
import type { RunFeed } from '../../engine/run-feed.ts';
import type { RunOutcomeRecord } from '../../storage/runs/run-queries.ts';
import type { StoredRead, StoredReads } from './stored-reads.ts';

export interface RunWait {
  runId: string;
  /** The run is over, or a step has answered. */
  until: 'end' | 'answer';
  waitMs: number;
  /** The caller has disconnected. */
  gone: AbortSignal;
}

/** Resolves to the run. Null when the time passes or the caller disconnects first. */
export type WaitForRun = (wait: RunWait) => Promise<StoredRead<RunOutcomeRecord> | null>;

export function createRunWaiter(reads: Pick<StoredReads, 'outcome' | 'release'>, feed: RunFeed): WaitForRun {
  return async ({ runId, until, waitMs, gone }) => {
    const news = watchRun(runId, until, feed);
    const timer = setTimeout(news.expire, waitMs);
    gone.addEventListener('abort', news.expire, { once: true });
    try {
      for (;;) {
        const run = await reads.outcome(runId);
        if (run === null || isTerminal(run.value.status)) return run;
        if (until === 'answer' && run.value.steps.some(isAnswer)) return run;
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

/** `next` resolves once the wait may be over: the run is then read in storage. News that come before it count as well. */
function watchRun(runId: string, until: RunWait['until'], feed: RunFeed) {
  let hasNews = false;
  let isExpired = false;
  let announce: () => void = () => undefined;
  const stop = feed.watch(runId, (events, steps) => {
    const isNews = events.length === 0 || events.some(isEnd) || (until === 'answer' && steps.some(isAnswer));
    if (!isNews) return;
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
