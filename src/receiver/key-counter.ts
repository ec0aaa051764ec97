// Counts requests per Idempotency-Key, in bounded memory.

import { createHash } from 'node:crypto';

export interface KeyCounter {
  /** Counts the key and returns its count. */
  count(key: string): number;
  /** The number of keys that came more than once. */
  readonly repeated: number;
}

const MAX_KEYS = 100_000;

/** Above `maxKeys` the oldest key is forgotten. Only hashes are kept, because keys may be long. */
export function createKeyCounter(maxKeys = MAX_KEYS): KeyCounter {
  const counts = new Map<string, number>();
  let repeated = 0;
  return {
    count(key) {
      const hash = createHash('sha256').update(key).digest('base64');
      const seen = (counts.get(hash) ?? 0) + 1;
      counts.set(hash, seen);
      if (seen === 2) repeated += 1;
      if (counts.size > maxKeys) counts.delete(counts.keys().next().value as string);
      return seen;
    },
    get repeated() {
      return repeated;
    },
  };
}
