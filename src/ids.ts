// Creates ids, which are unguessable; run ids are ordered by time. The only source of randomness besides retry jitter.

import { randomBytes } from 'node:crypto';
import type { Clock } from './clock.ts';
import { encodeNonces, joinRunId, NONCE_BYTES, nextRunNumber } from './core/run/run-id.ts';

/** Returns a new run id, greater in order than every earlier one of this process even if the clock is set back. */
export type NewRunId = () => string;

const POOLED_NONCES = 256;

/** `slot` tells the runs of owners on one database apart (storage/storage.ts). */
export function createRunIds(clock: Clock, slot: number): NewRunId {
  let lastNumber = -1;
  let nonces = '';
  let used = 0;
  return () => {
    lastNumber = nextRunNumber(lastNumber, clock(), slot);
    if (used === nonces.length) {
      nonces = encodeNonces(randomBytes(NONCE_BYTES * POOLED_NONCES));
      used = 0;
    }
    used += NONCE_BYTES;
    return joinRunId({ runNumber: lastNumber, nonce: nonces.slice(used - NONCE_BYTES, used) });
  };
}

/** Identifies an edit of definitions, so that it is applied once. */
export function newEditId(): string {
  return randomBytes(12).toString('base64url');
}

export function newSinkId(): string {
  return `snk_${randomBytes(8).toString('hex')}`;
}

/** 256 bits, for tokens that the server generates. */
export function newToken(): string {
  return randomBytes(32).toString('base64url');
}

export function newJobId(): string {
  return `job_${randomBytes(10).toString('hex')}`;
}
