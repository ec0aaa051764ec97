// How often each Idempotency-Key has come, in bounded memory.

import { createHash } from 'node:crypto';

export interface KeyCounter {
  /** Counts this key once more, and says how often it has come. */
  count(key: string): number;
  /** Keys that came more than once. */
  readonly repeated: number;
}

const MAX_KEYS = 100_000;

/** Beyond `maxKeys` the one that came first is forgotten. Keys may be long: only their hashes are kept. */
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
