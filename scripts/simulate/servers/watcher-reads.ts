// The reads of watchers: those that wait for the end of a run, and those that follow its stream.

import type { StoredReads } from '../../../src/http/streams/stored-reads.ts';
import type { RunOutcomeRecord } from '../../../src/storage/runs/run-queries.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import type { World } from '../world.ts';

export function createWatcherReads(
  { broken }: World,
  storage: Pick<Storage, 'getOutcome' | 'readEvents'>,
): Pick<StoredReads, 'outcome' | 'events' | 'release'> {
  const first = new Map<string, RunOutcomeRecord | null>();
  return {
    async outcome(runId) {
      const known = broken === 'skipped-re-read' ? first.get(runId) : undefined;
      const run = known ?? (await storage.getOutcome(runId));
      first.set(runId, run);
      return run === null ? null : { value: run, reservedBytes: 0 };
    },
    async events(runId, after) {
      const stored = await storage.readEvents(runId, after);
      return stored === null ? null : { value: stored, reservedBytes: 0 };
    },
    release: () => undefined,
  };
}
