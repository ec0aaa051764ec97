// Claimed deliveries on their way from the writer thread: all values in one flat list, shared texts once, and small bodies in
// one buffer.

import type { RetryPolicy } from '../../../core/delivery/retry.ts';
import type { ClaimedDelivery } from '../../delivery-records.ts';
import type { Row } from '../table.ts';
import type { deliveries } from './delivery-columns.ts';
import { type DeliveryKey, toDeliveryId } from './delivery-rows.ts';
import { fillMessage, MESSAGE_BYTES, type MessageOutline } from './message-columns.ts';

type DeliveryColumn = 'no' | 'step_no' | 'visit' | 'step' | 'is_awaited' | 'origin' | 'epoch' | 'attempts' | 'last_attempt';

/** A packed claim: `message` and `retry` are indexes into `texts`, and a small body is given by its length. */
interface Claim extends DeliveryKey, Pick<Row<typeof deliveries>, DeliveryColumn | 'overflow_policy' | 'overflow_group'> {
  message: number;
  retry: number;
  body: number | Uint8Array;
}

/** The expressions to select for a claim, in the order of its values in the row and in the packed list. */
const SELECTED: Readonly<Record<keyof Claim, string>> = {
  no: 'no',
  run_number: 'run_id',
  nonce: '(SELECT nonce FROM runs WHERE id = run_id)',
  step_no: 'step_no',
  visit: 'visit',
  step: 'step',
  is_awaited: 'is_awaited',
  origin: 'origin',
  message: 'message',
  retry: 'retry',
  epoch: 'epoch + 1',
  attempts: 'attempts',
  last_attempt: 'last_attempt',
  overflow_policy: 'overflow_policy',
  overflow_group: 'overflow_group',
  body: MESSAGE_BYTES,
};
export const CLAIM_COLUMNS = Object.values(SELECTED).join(', ');
const WIDTH = Object.keys(SELECTED).length;
const INDEXES = Object.fromEntries(Object.keys(SELECTED).map((name, index) => [name, index])) as Record<keyof Claim, number>;

/** Bodies up to this size share one buffer. A larger one is cheaper to transfer on its own than to copy. */
const SMALL_BYTES = 16_384;
/** Unpacked bodies share copies of about this size. */
const SHARED_BYTES = 16_384;

export interface PackedClaims {
  /** The selected values of all claims, one claim after the other. */
  values: unknown[];
  /** Distinct texts of messages and retry policies. Messages of one step differ mostly in their bodies. */
  texts: string[];
  bodies: Uint8Array;
}

type ReadClaim = <Name extends keyof Claim>(name: Name) => Claim[Name];

/** Returns the number of the delivery in a selected row. */
export function numberOf(row: readonly unknown[]): number {
  return row[INDEXES.no] as number;
}

export function packClaims(rows: readonly unknown[][]): PackedClaims {
  const values: unknown[] = [];
  const texts = new Map<string, number>();
  const bodies: Uint8Array[] = [];
  const indexOf = (text: string): number => {
    const index = texts.get(text) ?? texts.size;
    texts.set(text, index);
    return index;
  };
  for (const row of rows) {
    row[INDEXES.message] = indexOf(row[INDEXES.message] as string);
    row[INDEXES.retry] = indexOf(row[INDEXES.retry] as string);
    const body = row[INDEXES.body] as Uint8Array;
    if (body.byteLength <= SMALL_BYTES) {
      bodies.push(body);
      row[INDEXES.body] = body.byteLength;
    }
    values.push(...row);
  }
  return { values, texts: [...texts.keys()], bodies: new Uint8Array(Buffer.concat(bodies)) };
}

export function unpackClaims({ values, texts, bodies }: PackedClaims): ClaimedDelivery[] {
  const shared = texts.map((text) => JSON.parse(text) as unknown);
  const takeBody = bodyReader(bodies);
  const claims: ClaimedDelivery[] = [];
  for (let start = 0; start < values.length; start += WIDTH) {
    const read: ReadClaim = (name) => values[start + INDEXES[name]] as Claim[typeof name];
    claims.push(toClaimed(read, shared, takeBody));
  }
  return claims;
}

/**
 * Returns a function that reads one body after the other. Neighbours share a copy: a view of the buffer would keep all of it
 * in memory, and one copy per body is slower.
 */
function bodyReader(bodies: Uint8Array): (size: number) => Uint8Array {
  let copy = new Uint8Array();
  let copiedFrom = 0;
  let at = 0;
  return (size) => {
    const end = at + size;
    if (end > copiedFrom + copy.byteLength) {
      copy = bodies.slice(at, Math.max(end, at + SHARED_BYTES));
      copiedFrom = at;
    }
    const body = copy.subarray(at - copiedFrom, end - copiedFrom);
    at = end;
    return body;
  };
}

function toClaimed(read: ReadClaim, shared: readonly unknown[], takeBody: (size: number) => Uint8Array): ClaimedDelivery {
  const body = read('body');
  const message = shared[read('message')] as MessageOutline;
  return {
    id: toDeliveryId({ run_number: read('run_number'), nonce: read('nonce'), step_no: read('step_no'), visit: read('visit') }),
    step: read('step'),
    isAwaited: read('is_awaited') === 1,
    origin: read('origin'),
    message: fillMessage(message, typeof body === 'number' ? takeBody(body) : body),
    retry: shared[read('retry')] as RetryPolicy,
    epoch: read('epoch'),
    attempts: read('attempts'),
    lastAttempt: read('last_attempt'),
    latestOf: read('overflow_policy') === 'latest_wins' ? read('overflow_group') : null,
  };
}
