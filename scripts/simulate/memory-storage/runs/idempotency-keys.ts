// Idempotency keys. A key belongs to the run that it was stored with, until it expires or the run is removed.

import type { CreateRunResult, CreateRunsResult, Idempotency } from '../../../../src/storage/run-records.ts';
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

/** Returns the runs of an earlier request with the key, or undefined if it is free. */
export function findRequest(state: State, sinkId: string, key: Idempotency): CreateRunsResult['earlier'] {
  const first = findDuplicate(state, sinkId, key);
  if (first === null) return undefined;
  const runIds: string[] = [];
  for (let run: typeof first | null = first; run !== null; run = findDuplicate(state, sinkId, keyOfRun(key, runIds.length)))
    runIds.push(run.runId);
  return { runIds, sameRequest: first.sameRequest };
}

/** The first run of a request has its key, and each other one a key made from it. */
export function keyOfRun(idempotency: Idempotency, index: number): Idempotency {
  return index === 0 ? idempotency : { ...idempotency, key: `${idempotency.key} +${index}` };
}

/** Removes the keys of a run, and those that have expired. */
export function removeKeys({ keys, clock }: State, of: StoredRun | null): void {
  const now = clock();
  for (const [name, { run, expiresAt }] of keys) if (run === of || expiresAt <= now) keys.delete(name);
}
