// The runs that a search names by an idempotency key or a delivery: a few, each found along an index.

import type { Database } from 'better-sqlite3';
import { parseDeliveryId } from '../../../core/delivery/delivery-id.ts';
import { parseRunId } from '../../../core/run/run-id.ts';
import type { RunSearch } from '../../runs/run-search.ts';
import { createSinkFilter } from '../definitions/rows-by-sink.ts';
import { followingKey } from '../runs/idempotency-keys.ts';
import { toRunId } from '../runs/run-rows.ts';

interface KeyedRow {
  run_number: number;
  nonce: string;
}

/** Returns a function that lists the numbers of the runs that a search names. Null: it names none. */
export function createNamedRuns(database: Database): (search: RunSearch) => number[] | null {
  const sinksOf = createSinkFilter(database);
  const selectKeyed = database.prepare(
    `SELECT runs.id AS run_number, runs.nonce FROM idempotency_keys JOIN runs ON runs.id = run_id
     WHERE idempotency_keys.sink_no = ? AND key = ?`,
  );
  const selectDelivered = database
    .prepare(
      `SELECT run_id FROM deliveries JOIN runs ON runs.id = run_id
       WHERE run_id = ? AND runs.nonce = ? AND step_no = ? AND visit = ?`,
    )
    .pluck();

  /** A key names all runs of its request. */
  function runsOfKey(sinkNo: number, key: string): number[] {
    const first = selectKeyed.get(sinkNo, key) as KeyedRow | undefined;
    const runs: number[] = [];
    for (let run = first; run !== undefined; ) {
      runs.push(run.run_number);
      run = selectKeyed.get(sinkNo, followingKey(toRunId(first as KeyedRow), runs.length)) as KeyedRow | undefined;
    }
    return runs;
  }

  function runsOfDelivery(id: string): number[] {
    const delivery = parseDeliveryId(id);
    const run = delivery && parseRunId(delivery.runId);
    return run ? (selectDelivered.all(run.runNumber, run.nonce, delivery.stepNo, delivery.visit) as number[]) : [];
  }

  return (search) => {
    const { idempotencyKey, deliveryId } = search;
    const ofDelivery = deliveryId === undefined ? null : runsOfDelivery(deliveryId);
    if (idempotencyKey === undefined) return ofDelivery;
    const ofKey = sinksOf(search).flatMap((sinkNo) => runsOfKey(sinkNo, idempotencyKey));
    return ofDelivery === null ? ofKey : ofKey.filter((run) => ofDelivery.includes(run));
  };
}
