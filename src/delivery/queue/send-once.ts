// One attempt to send a leased delivery. An error of the sender becomes a result too.

import type { DeliveryStatus } from '../../core/delivery/delivery.ts';
import { idempotencyKeyOf } from '../../core/delivery/delivery-id.ts';
import type { OutboundResult } from '../../core/delivery/outbound.ts';
import type { Logger } from '../../logger.ts';
import type { Send } from '../sender.ts';
import type { LeasedDelivery } from './leased-delivery.ts';

export interface Attempt {
  send: Send;
  /** From 1. */
  number: number;
  /** By the wall clock. */
  now: number;
  signal: AbortSignal;
  logger: Logger;
}

export async function sendOnce(delivery: LeasedDelivery, { send, number, now, signal, logger }: Attempt): Promise<OutboundResult> {
  const idempotencyKey = idempotencyKeyOf(delivery.id, delivery.runId, delivery.step);
  try {
    return await send(delivery.message, { idempotencyKey, deliveryId: delivery.id, attempt: number, now, signal });
  } catch (error) {
    logger.error({ err: error, delivery_id: delivery.id }, 'a delivery failed unexpectedly');
    return { kind: 'refused', reason: 'an internal error kept the message from being sent' };
  }
}

export interface FailedAttempt {
  number: number;
  result: OutboundResult;
  /** Of the delivery, after the attempt. */
  status: DeliveryStatus;
}

export function logFailure(logger: Logger, { id, runId }: LeasedDelivery, { number, result, status }: FailedAttempt): void {
  const answer = result.kind === 'response' ? result.status : result.kind;
  logger.info({ delivery_id: id, run_id: runId, attempt: number, result: answer, status }, 'delivery attempt failed');
}
