// Claimed deliveries on their way from the writer thread: one flat list for all of them, what they share once, and small
// bodies in one piece.

import type { OverflowGroup } from '../../../core/delivery/overflow.ts';
import type { RetryPolicy } from '../../../core/delivery/retry.ts';
import type { ClaimedDelivery } from '../../delivery-records.ts';
import { toDeliveryId } from './delivery-rows.ts';
import { fillMessage, type MessageOutline } from './message-columns.ts';

/** What to select of a delivery that is claimed, in the order of a row. */
export const CLAIM_COLUMNS = `run_id, (SELECT nonce FROM runs WHERE id = run_id), step_no, visit, step, is_awaited, origin, message, retry, epoch + 1,
  attempts, last_attempt, overflow_policy, overflow_group, body`;

/** A row on its way: `message` and `retry` are places in `texts`, and a small body is its length. */
type ClaimRow = [
  runId: number,
  nonce: string,
  stepNo: number,
  visit: number,
  step: string,
  isAwaited: number,
  origin: string,
  message: number,
  retry: number,
  epoch: number,
  attempts: number,
  lastAttempt: number,
  policy: OverflowGroup['policy'] | null,
  group: string | null,
  body: number | Uint8Array,
];

const WIDTH = 15;
const MESSAGE = 7;
const RETRY = 8;
const BODY = 14;
/** A larger body goes as it is: a copy would cost more than a piece of its own. */
const SMALL_BYTES = 16_384;
const SHARED_BYTES = 16_384;

export interface PackedClaims {
  /** `WIDTH` values for each. */
  values: unknown[];
  /** What claims have in common, once: messages of one step differ in little but their bytes. */
  texts: string[];
  bodies: Uint8Array;
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
    row[MESSAGE] = placeOf(row[MESSAGE] as string);
    row[RETRY] = placeOf(row[RETRY] as string);
    const body = row[BODY] as Uint8Array;
    if (body.byteLength <= SMALL_BYTES) {
      bodies.push(body);
      row[BODY] = body.byteLength;
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
    const row = values.slice(start, start + WIDTH) as ClaimRow;
    const body = row[BODY];
    claims.push(toClaimed(row, shared, typeof body === 'number' ? takeBody(body) : body));
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

function toClaimed(row: ClaimRow, shared: readonly unknown[], body: Uint8Array): ClaimedDelivery {
  const [runId, nonce, stepNo, visit, step, isAwaited, origin, message, retry, epoch, attempts, lastAttempt, policy, group] = row;
  return {
    id: toDeliveryId({ run_id: runId, nonce, step_no: stepNo, visit }),
    step,
    isAwaited: isAwaited === 1,
    origin,
    message: fillMessage(shared[message] as MessageOutline, body),
    retry: shared[retry] as RetryPolicy,
    epoch,
    attempts,
    lastAttempt,
    latestOf: policy === 'latest_wins' ? group : null,
  };
}
