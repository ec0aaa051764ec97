// The receivers of messages: they answer late, fail, or do not answer, and remember every message by its idempotency key.

import { setMaxListeners } from 'node:events';
import type { OutboundMessage, OutboundResult } from '../../../src/core/delivery/outbound.ts';
import type { Send } from '../../../src/delivery/sender.ts';
import type { World } from '../world.ts';
import type { Caller } from './faulty-storage.ts';

const ABORTED: OutboundResult = { kind: 'network', code: 'ABORTED', reason: 'the attempt is aborted' };
const TIMEOUT: OutboundResult = { kind: 'timeout', phase: 'headers' };

export function createReceiver(world: World, sender: Caller): Send {
  const { time, note, invariants } = world;
  return (message, { idempotencyKey, deliveryId, attempt, signal }) =>
    new Promise((resolve) => {
      note(sender.name, `sends ${deliveryId} attempt ${attempt}`);
      invariants.noteSend(sender.owner, deliveryId, idempotencyKey, bodyOf(message));
      if (signal.aborted) return resolve(ABORTED);
      const { result, delayMs } = drawAnswer(world, message);
      world.noteSlow(delayMs);
      const abort = (): void => {
        answering.isCancelled = true;
        resolve(ABORTED);
      };
      const answering = time.schedule(delayMs, sender, () => {
        signal.removeEventListener('abort', abort);
        resolve(result);
      });
      // Messages in the background share a signal.
      setMaxListeners(0, signal);
      signal.addEventListener('abort', abort);
    });
}

function drawAnswer({ random, faults }: World, message: OutboundMessage): { result: OutboundResult; delayMs: number } {
  const { rates } = faults;
  const isSlow = faults.happens('slow message', rates.slowMessage);
  const delayMs = isSlow ? random.between(1000, 25_000) : random.between(1, 200);
  if (faults.happens('unanswered message', rates.unansweredMessage)) return { result: TIMEOUT, delayMs: 10_000 };
  const isFailed = faults.happens('failed message', rates.failedMessage);
  const status = isFailed ? random.pick([400, 404, 429, 500, 503]) : 200;
  const url = message.transport === 'http' ? message.url : '';
  const headers = status === 429 ? { 'retry-after': '2' } : {};
  const body = new Uint8Array();
  return { result: { kind: 'response', status, reason: '', url, headers, body, isTruncated: false }, delayMs };
}

function bodyOf(message: OutboundMessage): string {
  const parts = message.transport === 'http' ? (message.body ?? []) : [];
  return parts
    .map((part) => (part instanceof Uint8Array ? Buffer.from(part).toString('latin1') : 'sha256' in part ? part.sha256 : 'request'))
    .join('');
}
