// The retry policy of a step: the number of retries and the delay before each.

import type { JsonSchema } from '../schema.ts';

export interface RetryPolicy {
  /** Attempts after the first one. */
  maxRetries: number;
  baseSeconds: number;
  maxSeconds: number;
}

export const NO_RETRY: RetryPolicy = { maxRetries: 0, baseSeconds: 1, maxSeconds: 300 };

/** Default for deliveries that no run waits for: retried for minutes before they fail. */
export const BACKGROUND_RETRY: RetryPolicy = { maxRetries: 5, baseSeconds: 1, maxSeconds: 300 };

export const retrySchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    max_retries: { type: 'integer', minimum: 0, maximum: 100 },
    base_seconds: { type: 'number', minimum: 0, maximum: 86_400 },
    max_seconds: { type: 'number', minimum: 0, maximum: 86_400 },
  },
};

/** Reads a manifest's `retry`, which fits retrySchema. Missing fields come from `fallback`. */
export function readRetryPolicy(manifest: unknown, fallback: RetryPolicy): RetryPolicy {
  const given = (manifest ?? {}) as { max_retries?: number; base_seconds?: number; max_seconds?: number };
  return {
    maxRetries: Number(given.max_retries ?? fallback.maxRetries),
    baseSeconds: Number(given.base_seconds ?? fallback.baseSeconds),
    maxSeconds: Number(given.max_seconds ?? fallback.maxSeconds),
  };
}

/**
 * Exponential backoff with full jitter: before attempt n + 1, a random share of `base * 2^(n-1)`, capped.
 * `random` is a number in [0, 1). Returns milliseconds.
 */
export function retryDelayMs(policy: RetryPolicy, failedAttempt: number, random: number): number {
  const ceiling = Math.min(policy.baseSeconds * 2 ** Math.min(failedAttempt - 1, 32), policy.maxSeconds);
  return Math.round(ceiling * random * 1000);
}
