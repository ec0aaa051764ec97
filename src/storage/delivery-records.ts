// Records of deliveries: new ones of a turn, claimed ones, their attempts, and those that are read.

import type { DeliveryStatus } from '../core/delivery/delivery.ts';
import type { HttpMessage, MailMessage, OutboundMessage, OutboundResult } from '../core/delivery/outbound.ts';
import type { OverflowGroup } from '../core/delivery/overflow.ts';
import type { RetryPolicy } from '../core/delivery/retry.ts';

/** A delivery that a turn creates. */
export interface NewDelivery {
  id: string;
  step: string;
  /** Whether the step waits for the end of the delivery. */
  isAwaited: boolean;
  origin: string;
  message: OutboundMessage;
  retry: RetryPolicy;
  /** Null: never dropped. A delivery with a group is stored without a lease. */
  overflow: OverflowGroup | null;
  /** The creator sends it, under the first lease. Else it is due at once, for any claim. */
  isLeased: boolean;
  /** Of a dry run: it is stored as `recorded`, which ends it, and is never sent. */
  isRecorded: boolean;
}

/** The right to send a delivery. It is stale once the delivery has been claimed again, cancelled or dropped. */
export interface DeliveryLease {
  id: string;
  epoch: number;
}

/** A delivery with everything that its sender needs. */
export interface ClaimedDelivery extends Omit<NewDelivery, 'isLeased' | 'isRecorded' | 'overflow'> {
  /** Its group if the overflow policy is `latest_wins`, else null. */
  latestOf: string | null;
  epoch: number;
  /** Attempts so far. */
  attempts: number;
  /** The number of the last allowed attempt. */
  lastAttempt: number;
}

/** The most deliveries to claim for an origin. The claim ends once their bodies reach `maxBytes`. */
export interface ClaimLimit {
  origin: string;
  limit: number;
  maxBytes: number;
}

/** One attempt of a delivery. */
export interface AttemptRecord {
  /** From 1. */
  attempt: number;
  startedAt: number;
  durationMs: number;
  result: OutboundResult;
}

/** The receiver of a message, without its content. */
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
  /** The result of the last attempt, without its body. Null: no attempt yet. */
  lastResult: OutboundResult | null;
  /** Null: finished, or an older delivery of its group is being sent. */
  dueAt: number | null;
  createdAt: number;
  finishedAt: number | null;
  /** Null: not dropped. */
  droppedReason: string | null;
}

export interface ListedDelivery extends DeliverySummary {
  /** Grows with time. Pass it as `before` to get the next page. */
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
  /** Position of the last delivery on the previous page. */
  before?: number;
}
