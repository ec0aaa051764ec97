// One request and its answer: enforces the time limits, reads a bounded part of the body, and settles once.

import { setMaxListeners } from 'node:events';
import type { Dispatcher } from 'undici';
import type { OutboundResult } from '../../core/delivery/outbound.ts';
import { ABORTED, resultOfError } from '../network-fault.ts';

export interface ExchangeLimits {
  /** For the connection, and for each silence after it. */
  timeoutMs: number;
  /** Deadline, on the clock of `performance.now()`. */
  endsAt: number;
  /** Bytes of the answer's body to read; beyond them the connection is dropped. */
  maxBodyBytes: number;
  signal: AbortSignal;
}

/** The exchanges of one origin that have no connection yet. */
export interface Waiting {
  count: number;
}

type Controller = Pick<Dispatcher.DispatchController, 'abort'>;
type ReceivedHeaders = Dispatcher.ResponseData['headers'];

/** Never rejects. `dispatch` passes the exchange to undici. */
export function runExchange(
  url: URL,
  limits: ExchangeLimits,
  waiting: Waiting,
  dispatch: (exchange: Exchange) => void,
): Promise<OutboundResult> {
  return new Promise((resolve) => dispatch(new Exchange(url, limits, waiting, resolve)));
}

/** The handler that undici's dispatch calls. */
export class Exchange implements Dispatcher.DispatchHandler {
  /** Called when the request goes out. */
  onSending: (() => void) | null = null;
  readonly #url: URL;
  readonly #limits: ExchangeLimits;
  readonly #waiting: Waiting;
  readonly #resolve: (result: OutboundResult) => void;
  #isSettled = false;
  #controller: Controller | null = null;
  #phase: 'connect' | 'headers' | 'body' = 'connect';
  #lastSign = performance.now();
  /** One timer for all limits: it checks the clock when it fires, so that activity needs no new timer. */
  #timer: NodeJS.Timeout;
  #status = 0;
  #reason = '';
  #headers: Record<string, string> = {};
  #chunks: Uint8Array[] = [];
  #wanted: number;

  constructor(url: URL, limits: ExchangeLimits, waiting: Waiting, resolve: (result: OutboundResult) => void) {
    this.#url = url;
    this.#limits = limits;
    this.#waiting = waiting;
    waiting.count++;
    this.#resolve = resolve;
    this.#wanted = limits.maxBodyBytes;
    this.#timer = setTimeout(checkLimits, Math.min(limits.timeoutMs, limits.endsAt - this.#lastSign), this);
    // One signal may serve all attempts in flight; Node would report that many listeners as a leak.
    setMaxListeners(0, limits.signal);
    limits.signal.addEventListener('abort', this);
  }

  /** The receiver has read or sent bytes. */
  noteSignOfLife(): void {
    this.#lastSign = performance.now();
  }

  checkLimits(): void {
    const { endsAt, timeoutMs } = this.#limits;
    const now = performance.now();
    const silentAt = this.#lastSign + timeoutMs;
    if (now >= endsAt) this.#abort({ kind: 'timeout', phase: 'total' });
    else if (now >= silentAt) this.#abort({ kind: 'timeout', phase: this.#phase });
    else this.#timer = setTimeout(checkLimits, Math.ceil(Math.min(silentAt, endsAt) - now), this);
  }

  /** Removes the listener of the signal. */
  handleEvent(): void {
    this.#abort(ABORTED);
  }

  onRequestStart(controller: Controller): void {
    if (this.#isSettled) return controller.abort(OVER);
    this.onSending?.();
    this.#controller = controller;
    this.#phase = 'headers';
    this.#waiting.count--;
    this.noteSignOfLife();
  }

  onResponseStart(_: Controller, status: number, headers: ReceivedHeaders, reason = ''): void {
    this.#phase = 'body';
    this.#status = status;
    this.#reason = reason;
    this.#headers = singleValues(headers);
    this.noteSignOfLife();
  }

  onResponseData(_: Controller, chunk: Uint8Array): void {
    if (this.#isSettled) return;
    this.noteSignOfLife();
    const isTooMuch = chunk.byteLength > this.#wanted;
    this.#chunks.push(isTooMuch ? chunk.subarray(0, this.#wanted) : chunk);
    this.#wanted -= chunk.byteLength;
    if (isTooMuch) this.#abort(this.#response(true));
  }

  onResponseEnd(): void {
    this.#settle(this.#response(false));
  }

  onResponseError(_: Controller, error: unknown): void {
    this.#settle(resultOfError(error));
  }

  #response(isTruncated: boolean): OutboundResult {
    const body = Buffer.concat(this.#chunks);
    return { kind: 'response', status: this.#status, reason: this.#reason, url: this.#url.href, headers: this.#headers, body, isTruncated };
  }

  #abort(result: OutboundResult): void {
    this.#settle(result);
    this.#controller?.abort(OVER);
  }

  #settle(result: OutboundResult): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    if (this.#phase === 'connect') this.#waiting.count--;
    clearTimeout(this.#timer);
    this.#limits.signal.removeEventListener('abort', this);
    this.#chunks = [];
    this.#resolve(result);
  }
}

/** The error that ends undici's request once the exchange has settled; nobody sees it. */
const OVER = new Error('the exchange is over');

function checkLimits(exchange: Exchange): void {
  exchange.checkLimits();
}

/** A repeated field becomes one list (RFC 9110, 5.3). */
function singleValues(headers: ReceivedHeaders): Record<string, string> {
  for (const name in headers) {
    const value = headers[name];
    if (Array.isArray(value)) headers[name] = value.join(', ');
  }
  return headers as Record<string, string>;
}
