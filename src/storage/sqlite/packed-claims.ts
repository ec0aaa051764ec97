// Claimed deliveries on their way from the writer thread: one flat list for all of them, and small bodies in one piece.

import type { OverflowGroup } from '../../core/overflow.ts';
import type { RetryPolicy } from '../../core/retry.ts';
import type { ClaimedDelivery } from '../delivery-records.ts';
import { toDeliveryId } from './delivery-rows.ts';
import { unpackMessage } from './packed-message.ts';

/** What to select of a delivery, in the order of a row. */
export const CLAIM_COLUMNS = `run_id, (SELECT nonce FROM runs WHERE id = run_id), step_no, visit, step, is_awaited, origin, message, retry, epoch,
  attempts, last_attempt, overflow_policy, overflow_group, body`;

type ClaimRow = [
  runId: number,
  nonce: string,
  stepNo: number,
  visit: number,
  step: string,
  isAwaited: number,
  origin: string,
  message: string,
  retry: string,
  epoch: number,
  attempts: number,
  lastAttempt: number,
  policy: OverflowGroup['policy'] | null,
  group: string | null,
  body: Uint8Array,
];

const WIDTH = 15;
/** A larger body goes as it is: a copy would cost more than a piece of its own. */
const SMALL_BYTES = 16_384;

export interface PackedClaims {
  /** `WIDTH` values for each; in place of a body that is in `bodies` its length. */
  values: unknown[];
  bodies: Uint8Array;
}

export function packClaims(rows: readonly unknown[][]): PackedClaims {
  const values: unknown[] = [];
  const bodies: Uint8Array[] = [];
  for (const row of rows) {
    const body = row[WIDTH - 1] as Uint8Array;
    if (body.byteLength <= SMALL_BYTES) {
      bodies.push(body);
      row[WIDTH - 1] = body.byteLength;
    }
    values.push(...row);
  }
  return { values, bodies: new Uint8Array(Buffer.concat(bodies)) };
}

export function unpackClaims({ values, bodies }: PackedClaims): ClaimedDelivery[] {
  const claims: ClaimedDelivery[] = [];
  let at = 0;
  for (let start = 0; start < values.length; start += WIDTH) {
    const row = values.slice(start, start + WIDTH);
    const size = row[WIDTH - 1];
    if (typeof size === 'number') {
      // A copy, for a view would keep the bodies of all the others.
      row[WIDTH - 1] = bodies.slice(at, at + size);
      at += size;
    }
    claims.push(toClaimed(row as ClaimRow));
  }
  return claims;
}

function toClaimed(row: ClaimRow): ClaimedDelivery {
  const [runId, nonce, stepNo, visit, step, isAwaited, origin, message, retry, epoch, attempts, lastAttempt, policy, group, body] = row;
  return {
    id: toDeliveryId({ run_id: runId, nonce, step_no: stepNo, visit }),
    step,
    isAwaited: isAwaited === 1,
    origin,
    message: unpackMessage(message, body),
    retry: JSON.parse(retry) as RetryPolicy,
    epoch,
    attempts,
    lastAttempt,
    latestOf: policy === 'latest_wins' ? group : null,
  };
}
