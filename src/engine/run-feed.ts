// Publishes events that are on disk to the watchers of a run in this process. Storage remains the source of truth: a
// watcher that missed an event reads it there. Events that another process has stored are not known here: watchers are then
// reminded to read them.

import type { RunEvent } from '../core/run/run-event.ts';
import type { StepRecord } from '../storage/runs/run-records.ts';

/** Called with the next events and the visits of their turn, or with none: there may be events in storage. */
export type Watcher = (events: readonly RunEvent[], steps: readonly StepRecord[]) => void;

export interface RunFeed {
  publish(runId: string, events: readonly RunEvent[], steps?: readonly StepRecord[]): void;
  /** Calls the watchers of a run, or all watchers, without events. */
  remind(runId: string): void;
  remindAll(): void;
  /** Returns a function that stops the watching. */
  watch(runId: string, watcher: Watcher): () => void;
}

const NONE: readonly never[] = [];

export function createRunFeed(): RunFeed {
  const watchers = new Map<string, Set<Watcher>>();
  const remind = (runId: string): void => {
    for (const watcher of [...(watchers.get(runId) ?? [])]) watcher(NONE, NONE);
  };
  return {
    remind,
    remindAll() {
      for (const runId of [...watchers.keys()]) remind(runId);
    },
    publish(runId, events, steps = NONE) {
      if (events.length === 0) return;
      for (const watcher of watchers.get(runId) ?? []) watcher(events, steps);
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
