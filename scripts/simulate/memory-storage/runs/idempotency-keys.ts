// Idempotency keys. A key belongs to the run that it was stored with, until it expires or the run is removed.

import type { CreateRunResult, CreateRunsResult, Idempotency } from '../../../../src/storage/runs/run-records.ts';
import type { StoredRun } from '../records.ts';
import type { State } from '../state.ts';

export interface StoredKey {
  run: StoredRun;
  fingerprint: string;
  expiresAt: number;
}

type Duplicate = Extract<CreateRunResult, { kind: 'duplicate' }>;

const nameOf = (sinkId: string, key: string): string => `${sinkId} ${key}`;

/** Returns the result for a run whose key is taken, or null if the key is free. */
export function findDuplicate({ keys, clock }: State, sinkId: string, { key, fingerprint }: Idempotency): Duplicate | null {
  const earlier = keys.get(nameOf(sinkId, key));
  if (earlier === undefined || earlier.expiresAt <= clock()) return null;
  return { kind: 'duplicate', runId: earlier.run.runId, sameRequest: earlier.fingerprint === fingerprint };
}

export function storeKey({ keys, clock }: State, run: StoredRun, { key, fingerprint, keepMs }: Idempotency): void {
  keys.set(nameOf(run.sinkId, key), { run, fingerprint, expiresAt: clock() + keepMs });
}

/** Returns the stored runs of a key of any sink, whether it has expired or not. */
export function runsOfKey({ keys }: State, key: string): StoredRun[] {
  const firsts = [...keys].filter(([name]) => name.slice(name.indexOf(' ') + 1) === key).map(([, { run }]) => run);
  return firsts.flatMap((first) => {
    const runs = [first];
    for (let next = first; ; runs.push(next)) {
      const following = keys.get(nameOf(first.sinkId, `${first.runId} +${runs.length}`))?.run;
      if (following === undefined) return runs;
      next = following;
    }
  });
}

/** Returns the runs of the request that has the key, or undefined if it is free. */
export function findRequest(state: State, sinkId: string, key: Idempotency): CreateRunsResult['earlier'] {
  const first = findDuplicate(state, sinkId, key);
  if (first === null) return undefined;
  const runIds: string[] = [];
  for (let run: Duplicate | null = first; run !== null; ) {
    runIds.push(run.runId);
    run = findDuplicate(state, sinkId, followingKey(key, first.runId, runIds.length));
  }
  return { runIds, sameRequest: first.sameRequest };
}

/** Stores a key that names all runs of a request. */
export function storeRequest(state: State, runs: readonly StoredRun[], key: Idempotency): void {
  const first = runs[0]?.runId ?? '';
  for (const [index, run] of runs.entries()) storeKey(state, run, index === 0 ? key : followingKey(key, first, index));
}

function followingKey(idempotency: Idempotency, firstRunId: string, index: number): Idempotency {
  return { ...idempotency, key: `${firstRunId} +${index}` };
}

/** Removes the keys of a run, and those that have expired. */
export function removeKeys({ keys, clock }: State, of: StoredRun | null): void {
  const now = clock();
  for (const [name, { run, expiresAt }] of keys) if (run === of || expiresAt <= now) keys.delete(name);
}
