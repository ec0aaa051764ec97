// The connections of the sender: one undici pool an origin, made when first needed, closed when idle, bounded in number.

import { type Dispatcher, Pool } from 'undici';
import type { Waiting } from './exchange.ts';
import { connectorOf, type Dial } from './guarded-connector.ts';

export interface Connections {
  readonly pool: Dispatcher;
  readonly waiting: Waiting;
}

export interface OriginPools {
  /** `timeoutMs`: how long the request at hand may wait for its connection. */
  of(origin: string, timeoutMs: number): Connections;
  /** Resolves when all that is being sent has ended. */
  close(): Promise<void>;
}

export interface OriginPoolsOptions {
  dial: Dial;
  connectionsPerOrigin: number;
  maxOrigins: number;
}

interface OriginPool extends Connections {
  readonly pool: Pool;
  /** The longest that any request to this origin may wait for a connection. */
  connectTimeoutMs: number;
  isUsed: boolean;
}

const SWEEP_EVERY_MS = 60_000;
const MAX_HEADER_BYTES = 16_384;

export function openOriginPools({ dial, connectionsPerOrigin, maxOrigins }: OriginPoolsOptions): OriginPools {
  const pools = new Map<string, OriginPool>();

  function open(origin: string, connectTimeoutMs: number): OriginPool {
    const opened: OriginPool = {
      connectTimeoutMs,
      isUsed: true,
      waiting: { count: 0 },
      pool: new Pool(origin, {
        connect: connectorOf(dial, { timeoutMs: () => opened.connectTimeoutMs, isWanted: () => opened.waiting.count > 0 }),
        connections: connectionsPerOrigin,
        pipelining: 1,
        maxHeaderSize: MAX_HEADER_BYTES,
        // The exchange keeps the time.
        headersTimeout: 0,
        bodyTimeout: 0,
      }),
    };
    pools.set(origin, opened);
    return opened;
  }

  /** What it still sends is finished first. */
  function drop(origin: string, { pool }: OriginPool): void {
    pools.delete(origin);
    void pool.close();
  }

  function makeRoom(): void {
    if (pools.size < maxOrigins) return;
    const entries = [...pools];
    const [origin, opened] = entries.find(([, { pool }]) => pool.stats.size === 0) ?? (entries[0] as [string, OriginPool]);
    drop(origin, opened);
  }

  function sweep(): void {
    for (const [origin, opened] of pools) {
      if (!opened.isUsed && opened.pool.stats.size === 0) drop(origin, opened);
      opened.isUsed = false;
    }
  }

  const timer = setInterval(sweep, SWEEP_EVERY_MS).unref();
  return {
    of(origin, timeoutMs) {
      let found = pools.get(origin);
      if (found === undefined) {
        makeRoom();
        found = open(origin, timeoutMs);
      }
      found.isUsed = true;
      if (timeoutMs > found.connectTimeoutMs) found.connectTimeoutMs = timeoutMs;
      return found;
    },
    async close() {
      clearInterval(timer);
      await Promise.all([...pools.values()].map(({ pool }) => pool.close()));
    },
  };
}
