// Publishes events that are on disk to the watchers of a run in this process. Storage remains the source of truth: a
// watcher that missed an event reads it there.

import type { RunEvent } from '../core/run/run-event.ts';

export type Watcher = (events: readonly RunEvent[]) => void;

export interface RunFeed {
  publish(runId: string, events: readonly RunEvent[]): void;
  /** Returns a function that stops the watching. */
  watch(runId: string, watcher: Watcher): () => void;
}

export function createRunFeed(): RunFeed {
  const watchers = new Map<string, Set<Watcher>>();
  return {
    publish(runId, events) {
      if (events.length === 0) return;
      for (const watcher of watchers.get(runId) ?? []) watcher(events);
    },
    watch(runId, watcher) {
      const ofRun = watchers.get(runId) ?? new Set();
      watchers.set(runId, ofRun.add(watcher));
      return () => {
        ofRun.delete(watcher);
        if (ofRun.size === 0) watchers.delete(runId);
      };
    },
  };
}
