// The outside world of the engine's tests: receives every message and answers on demand.

import type { OutboundResult } from '../../src/core/delivery/outbound.ts';
import type { Send } from '../../src/delivery/sender.ts';
import { until } from '../support/until.ts';

export interface Received {
  /** `run_…:step`. */
  idempotencyKey: string;
  body: unknown;
  signal: AbortSignal;
  answer(status: number, text?: string, headers?: Record<string, string>): void;
  /** Ends the send as a bug of the sender would. */
  breakDown(error: Error): void;
}

export interface Receiver {
  send: Send;
  received: Received[];
  /** The `count`-th message, as soon as it is there. */
  message(count: number): Promise<Received>;
}

/** Answers by hand, or with `answerAll` at once. */
export function createReceiver(answerAll?: number): Receiver {
  const received: Received[] = [];
  const send: Send = (request, { idempotencyKey, signal }) =>
    new Promise((resolve, reject) => {
      const respond: Received['answer'] = (status, text = '', headers = {}) => resolve(response(status, text, headers));
      signal.addEventListener('abort', () => resolve({ kind: 'network', code: 'ABORTED', reason: 'aborted' }), { once: true });
      received.push({
        idempotencyKey,
        body: JSON.parse(Buffer.concat((request.transport === 'http' ? (request.body ?? []) : []) as Uint8Array[]).toString()),
        signal,
        answer: respond,
        breakDown: reject,
      });
      if (answerAll !== undefined) respond(answerAll);
    });
  return {
    send,
    received,
    message: (count) => until(`message ${count}`, () => received[count - 1]),
  };
}

function response(status: number, text: string, headers: Record<string, string>): OutboundResult {
  return { kind: 'response', status, reason: '', url: 'http://receiver.test/', headers, body: Buffer.from(text), isTruncated: false };
}
