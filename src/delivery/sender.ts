// The interface of a sender: it sends one message, once, and returns the outcome.

import type { OutboundMessage, OutboundResult } from '../core/delivery/outbound.ts';

export interface SendOptions {
  /** The same for every attempt of a delivery. */
  idempotencyKey: string;
  deliveryId: string;
  /** From 1. */
  attempt: number;
  /** In ms since the epoch, by the wall clock. */
  now: number;
  /** Ends the attempt as `ABORTED`. */
  signal: AbortSignal;
}

/** Never rejects for network or remote errors. */
export type Send = (message: OutboundMessage, options: SendOptions) => Promise<OutboundResult>;

export interface Sender {
  send: Send;
  /** Nothing is sent after it. Resolves when messages in flight have ended; their signals end them early. */
  close(): Promise<void>;
}
