// Limits how often an address may present wrong credentials. Right ones are never limited.

import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';
import { createTokenBuckets, type TokenBuckets } from './trigger/token-bucket.ts';

/** At once, and per second after that. */
const FAILURE_BURST = 50;
const FAILURES_PER_SECOND = 5;

export class FailedCredentials {
  readonly #failures: TokenBuckets;

  constructor(clock: Clock) {
    this.#failures = createTokenBuckets(clock, FAILURES_PER_SECOND, FAILURE_BURST);
  }

  /** Counts a failure. Returns `fault`, or `rate_limited` after too many. */
  refuse(clientIp: string, fault: AppError): AppError {
    const retryAfterSeconds = this.#failures.take(clientIp);
    if (retryAfterSeconds !== null)
      return new AppError('rate_limited', 'too many wrong credentials from this address', { retryAfterSeconds });
    return fault;
  }
}

/** `challenge` is for WWW-Authenticate. */
export function unauthorized(message: string, challenge: string): AppError {
  return new AppError('unauthorized', message, { headers: { 'www-authenticate': challenge } });
}
