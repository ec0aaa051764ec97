// Rows of deliveries and attempts as SQL gives them.

import type { DeliveryStatus } from '../../core/delivery.ts';
import { deliveryIdOf } from '../../core/delivery-id.ts';
import { joinRunId } from '../../core/run-id.ts';
import type { AttemptRecord, DeliverySummary } from '../storage.ts';
import { unpackResult } from './packed-delivery.ts';
import { unpackMessage } from './packed-message.ts';

export interface DeliveryRow {
  no: number;
  run_id: number;
  /** Of the run. */
  nonce: string;
  step_no: number;
  step: string;
  status: DeliveryStatus;
  is_awaited: number;
  origin: string;
  message: string;
  body: Uint8Array;
  retry: string;
  attempts: number;
  last_attempt: number;
  due_at: number | null;
  epoch: number;
  created_at: number;
  finished_at: number | null;
}

export function toDeliveryId({ run_id, nonce, step_no }: Pick<DeliveryRow, 'run_id' | 'nonce' | 'step_no'>): string {
  return deliveryIdOf(joinRunId({ order: run_id, nonce }), step_no);
}

export interface ListedDeliveryRow extends DeliveryRow {
  app_id: string;
  sink_id: string;
}

export function toDeliverySummary(row: ListedDeliveryRow): DeliverySummary {
  return {
    id: toDeliveryId(row),
    runId: joinRunId({ order: row.run_id, nonce: row.nonce }),
    appId: row.app_id,
    sinkId: row.sink_id,
    step: row.step,
    status: row.status,
    message: unpackMessage(row.message, row.body),
    attempts: row.attempts,
    lastAttempt: row.last_attempt,
    dueAt: row.due_at,
    createdAt: row.created_at,
    finishedAt: row.finished_at,
  };
}

export interface AttemptRow {
  attempt: number;
  started_at: number;
  duration_ms: number;
  result: string;
  body: Uint8Array | null;
}

export function toAttempt(row: AttemptRow): AttemptRecord {
  return { attempt: row.attempt, startedAt: row.started_at, durationMs: row.duration_ms, result: unpackResult(row.result, row.body) };
}
