// Deliveries, their messages and their attempts: as rows, and packed on their way to the writer thread.

import type { DeliveryStatus } from '../../../core/delivery/delivery.ts';
import { type DeliveryIdParts, parseDeliveryId } from '../../../core/delivery/delivery-id.ts';
import type { OutboundResult } from '../../../core/delivery/outbound.ts';
import type { OverflowGroup } from '../../../core/delivery/overflow.ts';
import { FIRST_EPOCH, LEASE_MS } from '../../../leases/lease.ts';
import type { AttemptRecord, NewDelivery } from '../../delivery-records.ts';
import type { Stamp } from '../stamp.ts';
import { beside, given, type Packed, preset, table } from '../table.ts';
import { type PackedMessage, packMessage } from './message-columns.ts';

interface Outgoing {
  stamp: Stamp;
  delivery: NewDelivery;
  key: DeliveryIdParts;
  packed: PackedMessage;
  createdAt: number;
}

export const deliveries = table<Outgoing>('deliveries').columns({
  message: beside(({ packed }) => packed.text),
  body: beside(({ packed }) => packed.body),
  retry: beside(({ delivery }) => JSON.stringify(delivery.retry)),
  overflow: beside(({ delivery }) => delivery.overflow),
  now: beside(({ stamp }) => stamp.now),
  no: preset<number>(),
  run_id: given<number>(),
  step_no: ({ key }) => key.stepNo,
  visit: ({ key }) => key.visit,
  step: ({ delivery }) => delivery.step,
  app_no: given<number>(),
  sink_no: given<number>(),
  status: ({ delivery }) => firstStatus(delivery),
  is_awaited: ({ delivery }) => (delivery.isAwaited ? 1 : 0),
  origin: ({ delivery }) => delivery.origin,
  attempts: () => 0,
  last_attempt: ({ delivery }) => delivery.retry.maxRetries + 1,
  due_at: ({ delivery, stamp }): number | null => (delivery.isRecorded ? null : delivery.isLeased ? stamp.now + LEASE_MS : stamp.now),
  owner: ({ stamp }) => stamp.owner,
  epoch: () => FIRST_EPOCH,
  created_at: ({ createdAt }) => createdAt,
  finished_at: ({ delivery, createdAt }) => (delivery.isRecorded ? createdAt : null),
  overflow_policy: preset<OverflowGroup['policy'] | null>(),
  overflow_group: preset<string | null>(),
  dropped_reason: preset<string | null>(),
});

export const deliveryMessages = table('delivery_messages').columns({
  delivery_no: given<number>(),
  message: given<string>(),
  body: given<Uint8Array>(),
  retry: given<string>(),
});

export const deliveryAttempts = table<AttemptRecord>('delivery_attempts').columns({
  /** The number that the sender counted. It may be taken by another attempt. */
  wanted: beside(({ attempt }) => attempt),
  delivery_no: given<number>(),
  attempt: given<number>(),
  started_at: ({ startedAt }) => startedAt,
  duration_ms: ({ durationMs }) => durationMs,
  result: ({ result }) => JSON.stringify(withoutBody(result)),
  body: ({ result }) => (result.kind === 'response' ? new Uint8Array(result.body) : null),
});

/** Packs the deliveries of one turn. Returns null if there are none. */
export function packDeliveries(of: readonly NewDelivery[], createdAt: number, stamp: Stamp): Packed<typeof deliveries>[] | null {
  if (of.length === 0) return null;
  return of.map((delivery) =>
    deliveries.pack({ delivery, key: deliveryKeyOf(delivery.id), packed: packMessage(delivery.message), createdAt, stamp }),
  );
}

function firstStatus({ isRecorded, isLeased }: NewDelivery): DeliveryStatus {
  return isRecorded ? 'recorded' : isLeased ? 'sending' : 'queued';
}

function withoutBody(result: OutboundResult): object {
  if (result.kind !== 'response') return result;
  const { body: _, ...rest } = result;
  return rest;
}

export function unpackResult(text: string, body: Uint8Array | null): OutboundResult {
  const result = JSON.parse(text) as OutboundResult;
  return result.kind === 'response' ? { ...result, body: body ?? new Uint8Array() } : result;
}

/** Returns the parts of an id. Throws a plain error for an invalid id, which is a bug of the caller. */
export function deliveryKeyOf(id: string): DeliveryIdParts {
  const key = parseDeliveryId(id);
  if (key === null) throw new Error(`"${id}" is not a delivery id`);
  return key;
}
