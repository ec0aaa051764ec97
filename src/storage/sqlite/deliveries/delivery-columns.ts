// Deliveries and their attempts on their way to the writer thread and into SQL: flat lists of plain values, as for runs.

import { type DeliveryIdParts, parseDeliveryId } from '../../../core/delivery/delivery-id.ts';
import type { OutboundResult } from '../../../core/delivery/outbound.ts';
import type { OverflowGroup } from '../../../core/delivery/overflow.ts';
import type { AttemptRecord, NewDelivery } from '../../delivery-records.ts';
import { packMessage } from './message-columns.ts';

export type PackedDelivery = [
  stepNo: number,
  visit: number,
  step: string,
  isAwaited: number,
  origin: string,
  message: string,
  body: Uint8Array,
  retry: string,
  lastAttempt: number,
  leaseUntil: number | null,
  overflow: OverflowGroup | null,
];

/** `result` is JSON without its body, which is a column of its own. */
export type PackedAttempt = [attempt: number, startedAt: number, durationMs: number, result: string, body: Uint8Array | null];

export function packDelivery({ id, step, isAwaited, origin, message, retry, leaseUntil, overflow }: NewDelivery): PackedDelivery {
  const { text, body } = packMessage(message);
  const { stepNo, visit } = deliveryKeyOf(id);
  return [stepNo, visit, step, isAwaited ? 1 : 0, origin, text, body, JSON.stringify(retry), retry.maxRetries + 1, leaseUntil, overflow];
}

export function packAttempt({ attempt, startedAt, durationMs, result }: AttemptRecord): PackedAttempt {
  if (result.kind !== 'response') return [attempt, startedAt, durationMs, JSON.stringify(result), null];
  const { body, ...rest } = result;
  return [attempt, startedAt, durationMs, JSON.stringify(rest), new Uint8Array(body)];
}

export function unpackResult(text: string, body: Uint8Array | null): OutboundResult {
  const result = JSON.parse(text) as OutboundResult;
  return result.kind === 'response' ? { ...result, body: body ?? new Uint8Array() } : result;
}

/** The key of a delivery that must exist: an id that cannot be one is a bug of the caller. */
export function deliveryKeyOf(id: string): DeliveryIdParts {
  const key = parseDeliveryId(id);
  if (key === null) throw new Error(`"${id}" is no delivery id`);
  return key;
}
