// The connections of the sender: one undici pool an origin, made when first needed, closed when idle, bounded in number.

import { type buildConnector, Client, type Dispatcher, Pool } from 'undici';
import { connectorOf, type Dial } from '../guarded-connector.ts';
import { AnswerHeads } from './answer-heads.ts';
import type { Exchange, Waiting } from './exchange.ts';

/** What the pools are given: undici hands on its options, and keeps the handler to itself. */
export interface ExchangeOptions extends Dispatcher.DispatchOptions {
  exchange: Exchange;
}

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

/** One connection of a pool. It is told when each request goes out, so that it knows what is the head of an answer. */
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
