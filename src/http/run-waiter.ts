// Waits for the end of a run, for callers who want one document and no stream.

import { isTerminal } from '../core/run.ts';
import { isEnd } from '../core/run-event.ts';
import type { RunFeed } from '../engine/run-feed.ts';
import type { RunRecord, Storage } from '../storage/storage.ts';

/** Resolves to the ended run, or null when the time passes or the caller goes away first. */
export type WaitForEnd = (runId: string, waitMs: number, gone: AbortSignal) => Promise<RunRecord | null>;

export function createRunWaiter(storage: Pick<Storage, 'getRun'>, feed: RunFeed): WaitForEnd {
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
      const run = await storage.getRun(runId);
      if (run === null || isTerminal(run.status)) return run;
      return (await ended) ? await storage.getRun(runId) : null;
    } finally {
      unwatch();
      clearTimeout(timer);
    }
  };
}
