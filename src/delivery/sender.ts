// What a sender is: it sends one message, once, and says what the receiver or the network did.

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
  /** Nothing is sent after it. Resolves when what is being sent has ended; its signals end it early. */
  close(): Promise<void>;
}
