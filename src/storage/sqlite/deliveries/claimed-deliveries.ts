// Claimed deliveries on their way from the writer thread: one flat list for all of them, what they share once, and small
// bodies in one piece.

import type { RetryPolicy } from '../../../core/delivery/retry.ts';
import type { ClaimedDelivery } from '../../delivery-records.ts';
import type { Row } from '../table.ts';
import type { deliveries } from './delivery-columns.ts';
import { type DeliveryKey, toDeliveryId } from './delivery-rows.ts';
import { fillMessage, type MessageOutline } from './message-columns.ts';

type DeliveryColumn = 'no' | 'run_id' | 'step_no' | 'visit' | 'step' | 'is_awaited' | 'origin' | 'epoch' | 'attempts' | 'last_attempt';

/** A claim on its way: `message` and `retry` are places in `texts`, and a small body is its length. */
interface Claim extends DeliveryKey, Pick<Row<typeof deliveries>, DeliveryColumn | 'overflow_policy' | 'overflow_group'> {
  message: number;
  retry: number;
  body: number | Uint8Array;
}

/** What to select of a delivery that is claimed, and the order of its values from the row to the other thread. */
const SELECTED: Readonly<Record<keyof Claim, string>> = {
  no: 'no',
  run_id: 'run_id',
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
  body: 'body',
};
export const CLAIM_COLUMNS = Object.values(SELECTED).join(', ');
const WIDTH = Object.keys(SELECTED).length;
const PLACES = Object.fromEntries(Object.keys(SELECTED).map((name, place) => [name, place])) as Record<keyof Claim, number>;

/** A larger body goes as it is: a copy would cost more than a piece of its own. */
const SMALL_BYTES = 16_384;
const SHARED_BYTES = 16_384;

export interface PackedClaims {
  /** Of each claim the selected ones, one claim after the other. */
  values: unknown[];
  /** What claims have in common, once: messages of one step differ in little but their bytes. */
  texts: string[];
  bodies: Uint8Array;
}

type ReadClaim = <Name extends keyof Claim>(name: Name) => Claim[Name];

/** The number of the delivery in a selected row. */
export function numberOf(row: readonly unknown[]): number {
  return row[PLACES.no] as number;
}

export function packClaims(rows: readonly unknown[][]): PackedClaims {
  const values: unknown[] = [];
  const texts = new Map<string, number>();
  const bodies: Uint8Array[] = [];
  const placeOf = (text: string): number => {
    const place = texts.get(text) ?? texts.size;
    texts.set(text, place);
    return place;
  };
  for (const row of rows) {
    row[PLACES.message] = placeOf(row[PLACES.message] as string);
    row[PLACES.retry] = placeOf(row[PLACES.retry] as string);
    const body = row[PLACES.body] as Uint8Array;
    if (body.byteLength <= SMALL_BYTES) {
      bodies.push(body);
      row[PLACES.body] = body.byteLength;
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
    const read: ReadClaim = (name) => values[start + PLACES[name]] as Claim[typeof name];
    claims.push(toClaimed(read, shared, takeBody));
  }
  return claims;
}

/** Takes one body after the other. A few share a copy: a view would keep all the others, and copies of each cost more. */
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
    id: toDeliveryId({ run_id: read('run_id'), nonce: read('nonce'), step_no: read('step_no'), visit: read('visit') }),
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
