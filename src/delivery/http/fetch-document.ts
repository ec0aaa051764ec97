// Fetches a small document, such as a certificate or a verdict, under the address policy: without redirects, within 5 s and 64 KiB.

import type { Dispatcher } from 'undici';
import type { OutboundResult } from '../../core/delivery/outbound.ts';
import { createDial, type DialOptions } from '../guarded-connector.ts';
import { runExchange } from './exchange.ts';
import { type ExchangeOptions, OriginPools } from './origin-pools.ts';

/** Rejects with an Error of one line. */
export type FetchDocument = (url: string) => Promise<string>;

/** As `FetchDocument`, for a POST of an urlencoded form. */
export type PostForm = (url: string, form: string) => Promise<string>;

export interface DocumentFetcherOptions extends DialOptions {
  userAgent: string;
  /** For the connection and the whole answer. */
  timeoutMs?: number;
}

const MAX_BYTES = 65_536;
const TIMEOUT_MS = 5000;

export class DocumentFetcher {
  readonly #options: DocumentFetcherOptions;
  readonly #pools: OriginPools;
  readonly #abort = new AbortController();
  #closing: Promise<void> | null = null;

  constructor(options: DocumentFetcherOptions) {
    this.#options = options;
    this.#pools = new OriginPools({ dial: createDial(options), connectionsPerOrigin: 16, maxOrigins: 32 });
  }

  /** `url` is http(s). Resolves to the body of a 200 as UTF-8. Rejects with an Error of one line that does not repeat the URL. */
  readonly fetch: FetchDocument = (url) => this.#request(url, 'GET', null);

  /** As `fetch`. */
  readonly postForm: PostForm = (url, form) => this.#request(url, 'POST', form);

  async #request(url: string, method: 'GET' | 'POST', body: string | null): Promise<string> {
    const { userAgent, timeoutMs = TIMEOUT_MS } = this.#options;
    if (this.#closing !== null) throw new Error('the server is stopping');
    const target = new URL(url);
    const limits = { timeoutMs, endsAt: performance.now() + timeoutMs, maxBodyBytes: MAX_BYTES, signal: this.#abort.signal };
    const { pool, waiting } = this.#pools.of(target.origin, timeoutMs);
    const type = body === null ? [] : ['content-type', 'application/x-www-form-urlencoded'];
    const headers = ['user-agent', userAgent, 'accept', '*/*', ...type];
    const request = { method, path: target.pathname + target.search, headers, body };
    return textOf(await runExchange(target, limits, waiting, (exchange) => dispatch(pool, { ...request, exchange })));
  }

  /** Ends fetches in flight. */
  close(): Promise<void> {
    this.#abort.abort();
    this.#closing ??= this.#pools.close();
    return this.#closing;
  }
}

function dispatch(pool: Dispatcher, options: ExchangeOptions): void {
  pool.dispatch(options, options.exchange);
}

function textOf(result: OutboundResult): string {
  switch (result.kind) {
    case 'response':
      if (result.status !== 200) throw new Error(`the answer is ${result.status}`);
      if (result.isTruncated) throw new Error(`the answer is longer than ${MAX_BYTES} bytes`);
      return Buffer.from(result.body).toString();
    case 'timeout':
      throw new Error(`no answer in time (${result.phase})`);
    case 'network':
      throw new Error(`${result.code}: ${result.reason}`);
    default:
      throw new Error(result.reason);
  }
}
