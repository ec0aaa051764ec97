// Sends one message, once, and says what the outside world did of it. When to send it again is not decided here.

import type { OutboundMessage, OutboundResult } from '../core/outbound.ts';
import { createDial, type DialOptions } from './guarded-connector.ts';
import { createHttpSender, type HttpSenderOptions } from './send-http.ts';

export interface SendOptions {
  /** The same for every attempt of a delivery. */
  idempotencyKey: string;
  deliveryId: string;
  /** From 1. */
  attempt: number;
  /** In ms since the epoch. */
  now: number;
  /** Ends the attempt as `ABORTED`. */
  signal: AbortSignal;
}

export type Send = (message: OutboundMessage, options: SendOptions) => Promise<OutboundResult>;

export interface Sender {
  /** Never rejects for what the outside world does. */
  send: Send;
  /** Nothing is sent after it. Resolves when what is being sent has ended; its signals end it early. */
  close(): Promise<void>;
}

export type SenderOptions = DialOptions & Omit<HttpSenderOptions, 'dial'>;

export function createSender(options: SenderOptions): Sender {
  const dial = createDial(options);
  const http = createHttpSender({ ...options, dial });
  return {
    async send(message, sendOptions) {
      if (message.transport === 'http') return await http.send(message, sendOptions);
      const { createMailSender } = await import('./send-mail.ts');
      return await createMailSender({ ...options, dial }).send(message, sendOptions);
    },
    close: () => http.close(),
  };
}
