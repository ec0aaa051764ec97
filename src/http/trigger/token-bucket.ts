// Token buckets by key, for rate limits. Their number is bounded: the least recently used keys are forgotten first.

import type { Clock } from '../../clock.ts';

export interface TokenBuckets {
  /** Takes one token. Returns null, or the seconds until there is one. */
  take(key: string): number | null;
}

const MAX_KEYS = 20_000;

export function createTokenBuckets(clock: Clock, perSecond: number, burst: number): TokenBuckets {
  const buckets = new Map<string, { tokens: number; at: number }>();
  return {
    take(key) {
      const now = clock();
      const bucket = buckets.get(key) ?? { tokens: burst, at: now };
      const elapsedSeconds = Math.max(0, now - bucket.at) / 1000;
      const tokens = Math.min(burst, bucket.tokens + elapsedSeconds * perSecond);
      buckets.delete(key);
      buckets.set(key, { tokens: tokens >= 1 ? tokens - 1 : tokens, at: now });
      if (buckets.size > MAX_KEYS) buckets.delete(buckets.keys().next().value as string);
      return tokens >= 1 ? null : Math.max(1, Math.ceil((1 - tokens) / perSecond));
    },
  };
}
