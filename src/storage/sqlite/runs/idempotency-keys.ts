// Idempotency keys in SQLite. A key belongs to the run that it was stored with, until it expires or the run is removed.

import type { Database } from 'better-sqlite3';
import type { CreateRunResult, CreateRunsResult, Idempotency } from '../../runs/run-records.ts';
import { idempotencyKeys } from './run-columns.ts';
import { keyOf, toRunId } from './run-rows.ts';

export interface IdempotencyKeys {
  /** Returns the result for a run whose key is taken, or null if the key is free. */
  findDuplicate(sinkNo: number, idempotency: Idempotency, now: number): Extract<CreateRunResult, { kind: 'duplicate' }> | null;
  store(sinkNo: number, idempotency: Idempotency, runNumber: number, now: number): void;
  /** Returns the runs of the request that has the key, or undefined if it is free. */
  findRequest(sinkNo: number, idempotency: Idempotency, now: number): CreateRunsResult['earlier'];
  /** Stores a key that names all runs of a request. */
  storeRequest(sinkNo: number, idempotency: Idempotency, runIds: readonly string[], now: number): void;
}

/** The key of a further run of a request, made from the id of its first run. No caller can send a key with a space. */
export function followingKey(firstRunId: string, index: number): string {
  return `${firstRunId} +${index}`;
}

export function createIdempotencyKeys(database: Database): IdempotencyKeys {
  const deleteStale = database.prepare(
    'DELETE FROM idempotency_keys WHERE sink_no = ? AND key = ? AND (expires_at <= ? OR NOT EXISTS (SELECT 1 FROM runs WHERE id = run_id))',
  );
  const select = database.prepare(
    `SELECT fingerprint, runs.id AS run_number, runs.nonce FROM idempotency_keys JOIN runs ON runs.id = run_id WHERE idempotency_keys.sink_no = ? AND key = ?`,
  );
  const insert = idempotencyKeys.insert(database);

  const keys: IdempotencyKeys = {
    findDuplicate(sinkNo, { key, fingerprint }, now) {
      deleteStale.run(sinkNo, key, now);
      const earlier = select.get(sinkNo, key) as { fingerprint: string; run_number: number; nonce: string } | undefined;
      if (earlier === undefined) return null;
      return { kind: 'duplicate', runId: toRunId(earlier), sameRequest: earlier.fingerprint === fingerprint };
    },
    store(sinkNo, { key, fingerprint, keepMs }, runNumber, now) {
      insert({ sink_no: sinkNo, key, fingerprint, run_id: runNumber, expires_at: now + keepMs });
    },
    findRequest(sinkNo, idempotency, now) {
      const first = keys.findDuplicate(sinkNo, idempotency, now);
      if (first === null) return undefined;
      const runIds: string[] = [];
      for (let run: typeof first | null = first; run !== null; ) {
        runIds.push(run.runId);
        run = keys.findDuplicate(sinkNo, { ...idempotency, key: followingKey(first.runId, runIds.length) }, now);
      }
      return { runIds, sameRequest: first.sameRequest };
    },
    storeRequest(sinkNo, idempotency, runIds, now) {
      const [first = ''] = runIds;
      for (const [index, runId] of runIds.entries()) {
        const key = index === 0 ? idempotency.key : followingKey(first, index);
        keys.store(sinkNo, { ...idempotency, key }, keyOf(runId).runNumber, now);
      }
    },
  };
  return keys;
}
