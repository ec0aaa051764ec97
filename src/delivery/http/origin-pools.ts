// The sender's connections: one undici pool for each origin, opened on demand, closed when idle, bounded in number.

import { type buildConnector, Client, type Dispatcher, Pool } from 'undici';
import { connectorOf, type Dial } from '../guarded-connector.ts';
import { AnswerHeads } from './answer-heads.ts';
import type { Exchange, Waiting } from './exchange.ts';

/** The options of the pools. */
export interface ExchangeOptions extends Dispatcher.DispatchOptions {
  exchange: Exchange;
}

export interface Connections {
  readonly pool: Dispatcher;
  readonly waiting: Waiting;
}

export interface OriginPools {
  /** `timeoutMs`: how long this request may wait for a connection. */
  of(origin: string, timeoutMs: number): Connections;
  /** Resolves when all requests in flight have ended. */
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
    const connect = connectorOf(dial, { timeoutMs: () => opened.connectTimeoutMs, isWanted: () => opened.waiting.count > 0 });
    const opened: OriginPool = {
      connectTimeoutMs,
      isUsed: true,
      waiting: { count: 0 },
      pool: new Pool(origin, {
        factory: (url, options) => openClient(url, options, connect),
        connections: connectionsPerOrigin,
        pipelining: 1,
        maxHeaderSize: MAX_HEADER_BYTES,
        // The exchange enforces the limits.
        headersTimeout: 0,
        bodyTimeout: 0,
      }),
    };
    pools.set(origin, opened);
    return opened;
  }

  /** Its requests in flight finish first. */
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

/** One connection of a pool. Each request is announced to it, so that it knows where the head of an answer begins. */
function openClient(origin: URL, options: object, connect: buildConnector.connector): Client {
  let heads: AnswerHeads | null = null;
  const client = new Client(origin, {
    ...options,
    connect: (target, callback) =>
      connect(target, (...connected) => {
        const [, socket] = connected;
        heads = socket === null ? null : new AnswerHeads(socket);
        callback(...connected);
      }),
  });
  const dispatch = client.dispatch.bind(client);
  client.dispatch = (request, handler) => {
    (request as ExchangeOptions).exchange.onSending = () => heads?.expect();
    return dispatch(request, handler);
  };
  return client;
}
