// Rows of deliveries and attempts as SQL returns them, and their conversion to records.

import { deliveryIdOf } from '../../../core/delivery/delivery-id.ts';
import { joinRunId } from '../../../core/run/run-id.ts';
import type { AttemptRecord, DeliverySummary, DeliveryTarget } from '../../delivery-records.ts';
import type { Row } from '../table.ts';
import { type deliveries, type deliveryAttempts, unpackResult } from './delivery-columns.ts';

/** The due time of a delivery that waits because an older one of its overflow group is being sent. */
export const NOT_DUE = Number.MAX_SAFE_INTEGER;

/** The columns that make up a delivery id. The nonce is that of the run. */
export type DeliveryKey = Pick<Row<typeof deliveries>, 'step_no' | 'visit'> & { run_number: number; nonce: string };

export function toDeliveryId({ run_number, nonce, step_no, visit }: DeliveryKey): string {
  return deliveryIdOf(joinRunId({ runNumber: run_number, nonce }), step_no, visit);
}

/** The columns of a summary. They include only the target of the message, which may be large. */
export const SUMMARY_COLUMNS = `deliveries.no, deliveries.run_id AS run_number, runs.nonce, step_no, visit, apps.id AS app_id, sinks.id AS sink_id, step,
  deliveries.status, message ->> 'transport' AS transport, message ->> 'method' AS method, message ->> 'url' AS url,
  message ->> 'host' AS host, message ->> 'port' AS port, message -> 'to' AS recipients, attempts, last_attempt,
  result AS last_result, due_at, deliveries.created_at, deliveries.finished_at, dropped_reason`;
export const SUMMARY_TABLES = `deliveries JOIN delivery_messages ON delivery_messages.delivery_no = deliveries.no
  JOIN runs ON runs.id = deliveries.run_id JOIN apps ON apps.no = deliveries.app_no JOIN sinks ON sinks.no = deliveries.sink_no
  LEFT JOIN delivery_attempts ON delivery_attempts.delivery_no = deliveries.no AND attempt = deliveries.attempts`;

type StateColumn = 'no' | 'step' | 'status' | 'attempts' | 'last_attempt' | 'due_at' | 'created_at' | 'finished_at' | 'dropped_reason';

export interface SummaryRow extends DeliveryKey, Pick<Row<typeof deliveries>, StateColumn> {
  app_id: string;
  sink_id: string;
  transport: 'http' | 'smtp';
  method: string;
  url: string;
  host: string;
  port: number;
  /** JSON. */
  recipients: string;
  last_result: string | null;
}

export function toDeliverySummary(row: SummaryRow): DeliverySummary {
  return {
    id: toDeliveryId(row),
    runId: joinRunId({ runNumber: row.run_number, nonce: row.nonce }),
    appId: row.app_id,
    sinkId: row.sink_id,
    step: row.step,
    status: row.status,
    target: toTarget(row),
    attempts: row.attempts,
    lastAttempt: row.last_attempt,
    lastResult: row.last_result === null ? null : unpackResult(row.last_result, null),
    dueAt: row.due_at === NOT_DUE ? null : row.due_at,
    createdAt: row.created_at,
    finishedAt: row.finished_at,
    droppedReason: row.dropped_reason,
  };
}

function toTarget({ transport, method, url, host, port, recipients }: SummaryRow): DeliveryTarget {
  return transport === 'http' ? { transport, method, url } : { transport, host, port, to: JSON.parse(recipients) as string[] };
}

export function toAttempt(row: Row<typeof deliveryAttempts>): AttemptRecord {
  return { attempt: row.attempt, startedAt: row.started_at, durationMs: row.duration_ms, result: unpackResult(row.result, row.body) };
}
