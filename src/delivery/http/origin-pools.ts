// The sender's connections: one undici pool for each origin, opened on demand, closed when idle, bounded in number.

import type { buildConnector, Dispatcher } from 'undici';
import Client from 'undici/lib/dispatcher/client.js';
import Pool from 'undici/lib/dispatcher/pool.js';
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

export class OriginPools {
  readonly #options: OriginPoolsOptions;
  readonly #pools = new Map<string, OriginPool>();
  readonly #timer: NodeJS.Timeout;

  constructor(options: OriginPoolsOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#sweep(), SWEEP_EVERY_MS).unref();
  }

  /** `timeoutMs`: how long this request may wait for a connection. */
  of(origin: string, timeoutMs: number): Connections {
    let found = this.#pools.get(origin);
    if (found === undefined) {
      if (this.#pools.size >= this.#options.maxOrigins) this.#dropOne();
      found = this.#open(origin, timeoutMs);
    }
    found.isUsed = true;
    if (timeoutMs > found.connectTimeoutMs) found.connectTimeoutMs = timeoutMs;
    return found;
  }

  /** Resolves when all requests in flight have ended. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([...this.#pools.values()].map(({ pool }) => pool.close()));
  }

  #open(origin: string, connectTimeoutMs: number): OriginPool {
    const { dial, connectionsPerOrigin } = this.#options;
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
    this.#pools.set(origin, opened);
    return opened;
  }

  /** Drops the oldest pool without requests in flight; if all have some, the oldest. */
  #dropOne(): void {
    const entries = [...this.#pools];
    const [origin, opened] = entries.find(([, { pool }]) => pool.stats.size === 0) ?? (entries[0] as [string, OriginPool]);
    this.#drop(origin, opened);
  }

  /** Its requests in flight finish first. */
  #drop(origin: string, { pool }: OriginPool): void {
    this.#pools.delete(origin);
    void pool.close();
  }

  #sweep(): void {
    for (const [origin, opened] of this.#pools) {
      if (!opened.isUsed && opened.pool.stats.size === 0) this.#drop(origin, opened);
      opened.isUsed = false;
    }
  }
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
