// Announces the runs that this process has stored to watchers of their sinks, with their requests. A watcher sees no run
// that was stored before it began to watch: those are in storage.

import type { BodyOutline, RequestBody, RequestHead } from '../core/run/request.ts';

export interface StartedRun extends BodyOutline {
  runId: string;
  head: RequestHead;
}

type Watcher = (run: StartedRun) => void;

export class StartedRuns {
  /** By sink. */
  readonly #watchers = new Map<string, Set<Watcher>>();

  announce(sinkId: string, runId: string, head: RequestHead, body: RequestBody): void {
    const watchers = this.#watchers.get(sinkId);
    if (watchers === undefined) return;
    const run = { runId, head, bodyKind: body.kind, bodySize: body.bytes.byteLength };
    for (const watcher of watchers) watcher(run);
  }

  /** Returns a function that stops the watching. */
  watch(sinkId: string, watcher: Watcher): () => void {
    const ofSink = this.#watchers.get(sinkId) ?? new Set();
    this.#watchers.set(sinkId, ofSink.add(watcher));
    return () => {
      ofSink.delete(watcher);
      if (ofSink.size === 0) this.#watchers.delete(sinkId);
    };
  }
}
