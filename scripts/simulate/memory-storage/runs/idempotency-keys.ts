// Idempotency keys. A key belongs to the run that it was stored with, until it expires or the run is removed.

import type { CreateRunResult, NewRun } from '../../../../src/storage/run-records.ts';
import type { StoredRun } from '../records.ts';
import type { State } from '../state.ts';

export interface StoredKey {
  run: StoredRun;
  fingerprint: string;
  expiresAt: number;
}

type Idempotency = NonNullable<NewRun['idempotency']>;

const nameOf = (sinkId: string, key: string): string => `${sinkId} ${key}`;

/** Returns the result for a run whose key is taken, or null if the key is free. */
export function findDuplicate({ keys, clock }: State, sinkId: string, { key, fingerprint }: Idempotency): CreateRunResult | null {
  const earlier = keys.get(nameOf(sinkId, key));
  if (earlier === undefined || earlier.expiresAt <= clock()) return null;
  return { kind: 'duplicate', runId: earlier.run.runId, sameRequest: earlier.fingerprint === fingerprint };
}

export function storeKey({ keys, clock }: State, run: StoredRun, { key, fingerprint, keepMs }: Idempotency): void {
  keys.set(nameOf(run.sinkId, key), { run, fingerprint, expiresAt: clock() + keepMs });
}

/** Removes the keys of a run, and those that have expired. */
export function removeKeys({ keys, clock }: State, of: StoredRun | null): void {
  const now = clock();
  for (const [name, { run, expiresAt }] of keys) if (run === of || expiresAt <= now) keys.delete(name);
}
