// What the end of an attempt means: for the delivery, and for the circuit of its origin.

import { afterFailure, afterSuccess } from '../../core/delivery/circuit-breaker.ts';
import { afterAttempt, type DeliveryState, judge } from '../../core/delivery/delivery.ts';
import type { OutboundResult } from '../../core/delivery/outbound.ts';
import type { HeldDelivery } from './held-delivery.ts';
import { MAX_WIDTH, type OriginLane } from './origin-queue.ts';

export interface AttemptEnd {
  number: number;
  result: OutboundResult;
  now: number;
  /** By the wall clock, as dates of the receiver are. */
  wallNow: number;
}

/** Returns what becomes of the delivery. */
export function endAttempt(
  lane: OriginLane,
  held: HeldDelivery,
  { number, result, now, wallNow }: AttemptEnd,
  random: () => number,
): DeliveryState {
  if (wasGivenUp(held, result)) return { status: 'cancelled', dueAt: null };
  const { message, retry, lastAttempt } = held;
  // What was never sent says nothing of the receiver; a 4xx says that it is there.
  if (result.kind !== 'refused') {
    const hasFailed = judge(message, result) === 'retryable';
    lane.circuit = hasFailed ? afterFailure(lane.circuit, now, random()) : afterSuccess(lane.circuit, MAX_WIDTH);
  }
  return afterAttempt({ message, retry, result, attempt: number, lastAttempt, now, wallNow, random: random() });
}

/** One that has its answer all the same is what the answer says. */
function wasGivenUp({ isGivenUp }: HeldDelivery, result: OutboundResult): boolean {
  return isGivenUp && result.kind === 'network' && result.code === 'ABORTED';
}
