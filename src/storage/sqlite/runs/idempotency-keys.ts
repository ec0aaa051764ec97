// Idempotency keys in SQLite. A key belongs to the run that it was stored with, until it expires or the run is removed.

import type { Database } from 'better-sqlite3';
import type { CreateRunResult, NewRun } from '../../run-records.ts';
import { idempotencyKeys } from './run-columns.ts';
import { toRunId } from './run-rows.ts';

type Idempotency = NonNullable<NewRun['idempotency']>;

export interface IdempotencyKeys {
  /** Returns the result for a run whose key is taken, or null if the key is free. */
  findDuplicate(sinkNo: number, idempotency: Idempotency, now: number): Extract<CreateRunResult, { kind: 'duplicate' }> | null;
  store(sinkNo: number, idempotency: Idempotency, runNumber: number, now: number): void;
}

export function createIdempotencyKeys(database: Database): IdempotencyKeys {
  const deleteStale = database.prepare(
    'DELETE FROM idempotency_keys WHERE sink_no = ? AND key = ? AND (expires_at <= ? OR NOT EXISTS (SELECT 1 FROM runs WHERE id = run_id))',
  );
  const select = database.prepare(
    `SELECT fingerprint, runs.id AS run_number, runs.nonce FROM idempotency_keys JOIN runs ON runs.id = run_id WHERE idempotency_keys.sink_no = ? AND key = ?`,
  );
  const insert = idempotencyKeys.insert(database);

  return {
    findDuplicate(sinkNo, { key, fingerprint }, now) {
      deleteStale.run(sinkNo, key, now);
      const earlier = select.get(sinkNo, key) as { fingerprint: string; run_number: number; nonce: string } | undefined;
      if (earlier === undefined) return null;
      return { kind: 'duplicate', runId: toRunId(earlier), sameRequest: earlier.fingerprint === fingerprint };
    },
    store(sinkNo, { key, fingerprint, keepMs }, runNumber, now) {
      insert({ sink_no: sinkNo, key, fingerprint, run_id: runNumber, expires_at: now + keepMs });
    },
  };
}
