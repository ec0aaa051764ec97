// Applies the result of an attempt: to its delivery, and to the circuit of its origin.

import { afterFailure, afterSuccess } from '../../core/delivery/circuit-breaker.ts';
import { afterAttempt, classify, type DeliveryState } from '../../core/delivery/delivery.ts';
import type { OutboundResult } from '../../core/delivery/outbound.ts';
import type { LeasedDelivery } from './leased-delivery.ts';
import { MAX_WIDTH, type OriginQueue } from './origin-queue.ts';

export interface EndedAttempt {
  number: number;
  result: OutboundResult;
  now: number;
  /** By the wall clock, as dates of the receiver are. */
  wallNow: number;
}

/** Returns the next state of the delivery. */
export function endAttempt(
  origin: OriginQueue,
  delivery: LeasedDelivery,
  { number, result, now, wallNow }: EndedAttempt,
  random: () => number,
): DeliveryState {
  if (wasAborted(delivery, result)) return { status: 'cancelled', dueAt: null };
  const { message, retry, lastAttempt } = delivery;
  // A message that was never sent tells nothing about the receiver. A 4xx shows that the receiver works.
  if (result.kind !== 'refused') {
    const hasFailed = classify(message, result) === 'retryable';
    origin.circuit = hasFailed ? afterFailure(origin.circuit, now, random()) : afterSuccess(origin.circuit, MAX_WIDTH);
  }
  return afterAttempt({ message, retry, result, attempt: number, lastAttempt, now, wallNow, random: random() });
}

/** False if the answer arrived before the abort: then the answer counts. */
function wasAborted({ isAborted }: LeasedDelivery, result: OutboundResult): boolean {
  return isAborted && result.kind === 'network' && result.code === 'ABORTED';
}
