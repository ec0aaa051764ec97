// Limits how often a client may present wrong credentials. Right ones are never limited.

import type { Clock } from '../../clock.ts';
import { AppError, type RefusalReason } from '../../errors.ts';
import { clientKeyOf } from './client-key.ts';
import { BucketPool, type TokenBuckets } from './token-buckets.ts';

/** At once, and per second after that. */
const FAILURES = { burst: 50, perSecond: 5 };

export class FailedCredentials {
  readonly #failures: TokenBuckets;

  constructor(clock: Clock) {
    this.#failures = new BucketPool(clock).add(FAILURES);
  }

  /** Counts a failure. Returns `fault`, or `rate_limited` after too many. */
  refuse(clientIp: string, fault: AppError): AppError {
    const retryAfterSeconds = this.#failures.take(clientKeyOf(clientIp));
    if (retryAfterSeconds === 0) return fault;
    return new AppError('rate_limited', 'too many wrong credentials from this address', { reason: 'too_many_failures', retryAfterSeconds });
  }
}

/** `challenge` is for WWW-Authenticate. */
export function unauthorized(reason: RefusalReason, message: string, challenge: string): AppError {
  return new AppError('unauthorized', message, { reason, headers: { 'www-authenticate': challenge } });
}
