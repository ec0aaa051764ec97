// `sluice listen --from SINK --forward TARGET`: passes each request of a sink on to a local server while it arrives, and
// again when somebody types `r`.

import type { Client } from '../../client/client.ts';
import type { ReceivedRequest } from '../../client/wire/wire-types.ts';
import { stringifyJson } from '../../core/json/json.ts';
import { appendPath, forwardedHeaders, forwardedQuery, wildcardRest } from '../../core/run/forwarded-request.ts';
import { addQuery } from '../../core/values/percent-encoding.ts';
import { createSerialQueue } from '../../core/values/serial-queue.ts';
import { describeError } from '../describe-error.ts';
import type { Io } from '../io.ts';
import { printHint, printLine } from '../output/output.ts';
import type { Paint } from '../output/paint.ts';
import { printable } from '../output/printable.ts';
import { type LocalRequest, sendLocally } from './local-target.ts';
import { type TypedCommand, typedCommands } from './typed-commands.ts';

export interface LiveForwarding {
  client: Client;
  sink: { appId: string; id: string };
  /** A URL. */
  target: string;
  /** Ends after this many requests; replays do not count. */
  count: number;
  isJson: boolean;
  paint: Paint;
  io: Io;
  signal: AbortSignal;
}

interface Numbered {
  number: number;
  received: ReceivedRequest;
}

interface Passed extends Numbered {
  isReplay: boolean;
  /** Path and query at the target. */
  path: string;
  /** Null when it could not be passed on. */
  status: number | null;
  fault: string | null;
  ms: number;
}

/** Requests that can be sent again. */
const MAX_KEPT = 1000;

export class LiveForwarder {
  readonly #options: LiveForwarding;
  readonly #ending = new AbortController();
  readonly #signal: AbortSignal;
  readonly #serially = createSerialQueue();
  readonly #kept: Numbered[] = [];
  #total = 0;
  #replays = 0;
  #failures = 0;

  constructor(options: LiveForwarding) {
    this.#options = options;
    this.#signal = AbortSignal.any([options.signal, this.#ending.signal]);
  }

  /** Resolves after `q`, the last request, or an interruption. Rejects when the sink cannot be followed. */
  async run(): Promise<void> {
    const { io, target } = this.#options;
    void this.#followCommands();
    try {
      await this.#followRequests();
    } catch (error) {
      if (!this.#signal.aborted) throw error;
    } finally {
      this.#ending.abort();
      io.closeStdin();
    }
    await this.#serially(() => Promise.resolve());
    printHint(io, `${plural(this.#total, 'request')} passed on to ${target}: ${this.#replays} again, ${this.#failures} failed`);
  }

  async #followRequests(): Promise<void> {
    const { client, sink, target, count, io } = this.#options;
    const requests = client.sinks.followRequests(sink.appId, sink.id, {
      signal: this.#signal,
      onReady: () => printHint(io, `passing requests on to ${target}; type r to send the last one again, r N for the Nth last, q to quit`),
      onLost: (fault) => printHint(io, `the stream is lost and is opened again: ${describeError(fault)}`),
    });
    for await (const received of requests) {
      this.#total += 1;
      const numbered = { number: this.#total, received };
      this.#kept.push(numbered);
      if (this.#kept.length > MAX_KEPT) this.#kept.shift();
      await this.#serially(() => this.#passOn(numbered, false));
      if (this.#total >= count) return;
    }
  }

  async #followCommands(): Promise<void> {
    for await (const command of typedCommands(this.#options.io.stdin)) {
      if (this.#signal.aborted) return;
      await this.#obey(command);
    }
  }

  async #obey(command: TypedCommand): Promise<void> {
    const { io } = this.#options;
    if (command.kind === 'quit') return this.#ending.abort();
    if (command.kind === 'unknown') return printHint(io, `"${command.text}" is no command: r, r N, or q`);
    const numbered = this.#kept.at(-command.back);
    if (numbered === undefined)
      return printHint(io, `there ${this.#kept.length === 1 ? 'is' : 'are'} only ${plural(this.#kept.length, 'request')} to send again`);
    this.#replays += 1;
    await this.#serially(() => this.#passOn(numbered, true));
  }

  /** Never rejects: what fails is a line of its own. */

  async #passOn(numbered: Numbered, isReplay: boolean): Promise<void> {
    const url = this.#urlOf(numbered.received);
    const { pathname, search } = new URL(url);
    const line = { ...numbered, isReplay, path: pathname + search };
    let start = performance.now();
    try {
      const request = await this.#requestOf(numbered.received, url);
      start = performance.now();
      const status = await sendLocally(request, this.#signal);
      this.#print({ ...line, status, fault: null, ms: performance.now() - start });
    } catch (error) {
      if (this.#signal.aborted) return;
      this.#failures += 1;
      this.#print({ ...line, status: null, fault: describeError(error), ms: performance.now() - start });
    }
  }

  #urlOf({ request }: ReceivedRequest): string {
    return addQuery(appendPath(this.#options.target, wildcardRest(request) ?? ''), forwardedQuery(request.query));
  }

  async #requestOf({ run_id: runId, body_kind: kind, request }: ReceivedRequest, url: string): Promise<LocalRequest> {
    const headers = Object.fromEntries(forwardedHeaders(request.headers, null));
    if (kind === 'empty') return { method: request.method, url, headers, body: new Uint8Array() };
    const { type, bytes } = await this.#options.client.runs.body(runId, this.#signal);
    if (type !== null) headers['content-type'] = type;
    return { method: request.method, url, headers, body: bytes };
  }

  #print({ number, received, isReplay, path, status, fault, ms }: Passed): void {
    const { io, isJson, paint } = this.#options;
    const { run_id: runId, request } = received;
    const { method } = request;
    const rounded = Math.round(ms);
    if (isJson) {
      const fields = { number, run_id: runId, is_replay: isReplay, method, path, status, error: fault, duration_ms: rounded };
      return printLine(io, stringifyJson(fields));
    }
    const head = `#${number}${isReplay ? ' again' : ''} ${method} ${path}`;
    const end = status === null ? `failed: ${fault}` : `answered ${status} after ${rounded} ms`;
    const isGood = status !== null && status < 400;
    io.stdout.write(`${printable(head)} ${paint[isGood ? 'good' : 'bad'](printable(end))} ${paint.faint(runId)}\n`);
  }
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
