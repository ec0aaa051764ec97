// Retention: removes old runs with all that belongs to them.

import { isTerminal } from '../../../../src/core/run/run.ts';
import { runNumberAt } from '../../../../src/core/run/run-id.ts';
import type { PruneLimits } from '../../../../src/storage/runs/run-records.ts';
import { removeOldJobs } from '../jobs.ts';
import type { StoredRun } from '../records.ts';
import { removeOldRejections } from '../rejections.ts';
import type { State } from '../state.ts';
import { removeKeys } from './idempotency-keys.ts';
import { storedBytes } from './run-reads.ts';

export function pruneRuns(state: State, { before, maxBytes, limit }: PruneLimits): number {
  removeKeys(state, null);
  removeOldRejections(state, before ?? 0, limit);
  removeOldJobs(state, before ?? 0);
  const ageBound = before === null ? 0 : runNumberAt(before);
  let used = 0;
  for (const run of state.runs.values()) used += sizeOf(run);
  let removed = 0;
  for (const run of [...state.runs.values()].sort((a, b) => a.runNumber - b.runNumber)) {
    if (removed >= limit || (run.runNumber >= ageBound && (maxBytes === null || used <= maxBytes))) break;
    if (!isTerminal(run.status) || state.samples.has(run.runId) || run.deliveries.some(({ dueAt }) => dueAt !== null)) continue;
    used -= sizeOf(run);
    remove(state, run);
    removed += 1;
  }
  return removed;
}

export function findUnreferencedBlobs({ runs }: State, hashes: readonly string[]): string[] {
  const referenced = new Set([...runs.values()].flatMap(({ blobs }) => blobs));
  return hashes.filter((hash) => !referenced.has(hash));
}

function remove(state: State, run: StoredRun): void {
  for (const { id } of run.deliveries) state.deliveries.delete(id);
  state.runs.delete(run.runNumber);
  for (const [request, { runId }] of state.collected) if (runId === run.runId) state.collected.delete(request);
  removeKeys(state, run);
}

function sizeOf(run: StoredRun): number {
  return storedBytes(run) + JSON.stringify(run.events).length + (run.output?.length ?? 0);
}
