// Open batches in SQLite: requests are collected as rows, and their run gets them all at once when it may start or ends.

import type { Database } from 'better-sqlite3';
import { joinBatches, MAX_BATCH_BYTES, type StoredBatch } from '../../../core/run/batch.ts';
import type { RequestHead } from '../../../core/run/request.ts';
import type { RunKey } from '../../../core/run/run-id.ts';
import { given, table } from '../table.ts';

export const collectedRequests = table('collected_requests').columns({
  no: given<number>(),
  nonce: given<string>(),
  run_id: given<number>(),
  sink_no: given<number>(),
  client_ip: given<string>(),
  request: given<string | null>(),
  body: given<Uint8Array | null>(),
});

/** A batch that takes more requests: the place of its run in the line. */
export interface OpenBatch {
  no: number;
  sinkNo: number;
  runNumber: number;
  nonce: string;
  count: number;
  bytes: number;
}

export class Batches {
  readonly #sql: ReturnType<typeof prepareStatements>;

  constructor(database: Database) {
    this.#sql = prepareStatements(database);
  }

  find(sinkNo: number, key: string): OpenBatch | undefined {
    return this.#sql.selectOpen.get(sinkNo, key) as OpenBatch | undefined;
  }

  /** The run of a request that was collected before. */
  runOf({ runNumber, nonce }: RunKey): RunKey | undefined {
    return this.#sql.selectRun.get(runNumber, nonce) as RunKey | undefined;
  }

  /** Returns false if another request has the number. */
  collect({ no, runNumber: runId, sinkNo }: OpenBatch, { runNumber, nonce }: RunKey, { request, body }: StoredBatch): boolean {
    const { batch = [] } = JSON.parse(request) as RequestHead;
    const row = { no: runNumber, nonce, run_id: runId, sink_no: sinkNo, client_ip: batch[0]?.client_ip ?? '', request, body };
    if (this.#sql.insert(row).changes === 0) return false;
    this.#sql.count.run(bytesOf({ request, body }), no);
    return true;
  }

  /** Gives the run all requests of its batch. */
  join(runNumber: number): void {
    const later = this.#sql.selectLater.all(runNumber) as StoredBatch[];
    if (later.length === 0) return;
    const { request, body } = joinBatches([this.#sql.selectFirst.get(runNumber) as StoredBatch, ...later]);
    this.#sql.updateRun.run(request, body, runNumber);
    this.#sql.clear.run(runNumber);
  }
}

export function fits({ bytes }: OpenBatch, more: number): boolean {
  return bytes + more <= MAX_BATCH_BYTES;
}

export function bytesOf({ request, body }: StoredBatch): number {
  return Buffer.byteLength(request) + body.byteLength;
}

function prepareStatements(database: Database) {
  return {
    selectOpen: database.prepare(
      `SELECT no, flow_runs.sink_no AS sinkNo, run_id AS runNumber, runs.nonce, collected AS count, collected_bytes AS bytes FROM flow_runs JOIN runs ON runs.id = run_id
       WHERE flow_runs.sink_no = ? AND flow_runs.flow_key = ? AND state = 'collecting' ORDER BY no LIMIT 1`,
    ),
    selectRun: database.prepare(
      `SELECT runs.id AS runNumber, runs.nonce FROM collected_requests JOIN runs ON runs.id = run_id
       WHERE no = ? AND collected_requests.nonce = ?`,
    ),
    insert: collectedRequests.insert(database, 'ON CONFLICT (no) DO NOTHING'),
    count: database.prepare('UPDATE flow_runs SET collected = collected + 1, collected_bytes = collected_bytes + ? WHERE no = ?'),
    selectFirst: database.prepare('SELECT request, body FROM runs WHERE id = ?'),
    selectLater: database.prepare('SELECT request, body FROM collected_requests WHERE run_id = ? AND request IS NOT NULL ORDER BY no'),
    updateRun: database.prepare('UPDATE runs SET request = ?, body = ? WHERE id = ?'),
    clear: database.prepare('UPDATE collected_requests SET request = NULL, body = NULL WHERE run_id = ?'),
  };
}
