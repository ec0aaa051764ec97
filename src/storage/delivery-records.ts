// Deliveries as they are stored: what a turn asks for, what its sender needs, each attempt, and what is read of them.

import type { DeliveryStatus } from '../core/delivery/delivery.ts';
import type { HttpMessage, MailMessage, OutboundMessage, OutboundResult } from '../core/delivery/outbound.ts';
import type { OverflowGroup } from '../core/delivery/overflow.ts';
import type { RetryPolicy } from '../core/delivery/retry.ts';

/** A delivery that a turn of a run asks for. */
export interface NewDelivery {
  id: string;
  step: string;
  /** The step waits for the end of the delivery. */
  isAwaited: boolean;
  origin: string;
  message: OutboundMessage;
  retry: RetryPolicy;
  /** Null: it waits as long as it takes. One with a policy is stored without a lease. */
  overflow: OverflowGroup | null;
  /** Its writer sends it at once, under a lease until then; null: whoever claims it. */
  leaseUntil: number | null;
}

/** The right to send a delivery: stale once somebody else has claimed or cancelled it. */
export interface DeliveryLease {
  id: string;
  epoch: number;
}

/** A delivery as its sender needs it. */
export interface ClaimedDelivery extends Omit<NewDelivery, 'leaseUntil' | 'overflow'> {
  /** The group of which only the newest waits; null for any other. */
  latestOf: string | null;
  epoch: number;
  /** Attempts made so far, and the number of the last one allowed. */
  attempts: number;
  lastAttempt: number;
}

/** How many deliveries to an origin may be claimed, and none after those whose bodies come to `maxBytes`. */
export interface ClaimLimit {
  origin: string;
  limit: number;
  maxBytes: number;
}

/** One try of a delivery. */
export interface AttemptRecord {
  /** From 1. */
  attempt: number;
  startedAt: number;
  durationMs: number;
  result: OutboundResult;
}

/** Where a message goes, without what it holds. */
export type DeliveryTarget = Pick<HttpMessage, 'transport' | 'method' | 'url'> | Pick<MailMessage, 'transport' | 'host' | 'port' | 'to'>;

export interface DeliverySummary {
  id: string;
  runId: string;
  appId: string;
  sinkId: string;
  step: string;
  status: DeliveryStatus;
  target: DeliveryTarget;
  attempts: number;
  lastAttempt: number;
  /** Of the last attempt, its body left out; null before the first one. */
  lastResult: OutboundResult | null;
  /** Null too while an older one of its group is being sent. */
  dueAt: number | null;
  createdAt: number;
  finishedAt: number | null;
  /** Null unless it was dropped. */
  droppedReason: string | null;
}

export interface ListedDelivery extends DeliverySummary {
  /** Grows with time; what a page goes on from. */
  position: number;
}

export interface DeliveryRecord extends DeliverySummary {
  message: OutboundMessage;
  tries: AttemptRecord[];
}

export interface DeliveryFilter {
  appId?: string;
  sinkId?: string;
  runId?: string;
  status?: DeliveryStatus;
  limit: number;
  /** Position of the last delivery of the page before; newest first. */
  before?: number;
}
