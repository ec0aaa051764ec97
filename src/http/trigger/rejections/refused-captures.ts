// Keeps the next refused request of a sink for its operator, who has asked for it. In memory, for an hour: everything here has a
// bound, and a restart forgets it.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../../clock.ts';
import { isSecretHeader, keptHeaders } from '../../../core/secrets/caller-secrets.ts';
import { MASKED_SECRET } from '../../../core/secrets/placeholder.ts';
import type { Place } from '../../../presets/preset.ts';
import { RefusedBody } from './refused-body.ts';
import type { RejectionEntry } from './rejection-entries.ts';

const ARMED_MS = 15 * 60_000;
const KEPT_MS = 3_600_000;
/** Sinks that wait for a request, and requests that are kept. */
const MAX_SINKS = 100;
const MAX_CAPTURES = 50;
/** Requests whose bodies are watched at the same time. */
const MAX_WATCHED = 16;

export interface RefusedCapture {
  sinkId: string;
  headers: Readonly<Record<string, string>>;
  /** Null when the sender puts its secret into the body. */
  body: Buffer | null;
  isTruncated: boolean;
  at: number;
}

export class RefusedCaptures {
  readonly #wallClock: Clock;
  /** The end of the wait, by sink. */
  readonly #armed = new Map<string, number>();
  readonly #captures = new Map<RejectionEntry, RefusedCapture>();
  readonly #watched = new Set<RefusedBody>();

  constructor(wallClock: Clock) {
    this.#wallClock = wallClock;
  }

  /** Returns the moment at which the wait ends. */
  arm(sinkId: string): number {
    const endsAt = this.#wallClock() + ARMED_MS;
    this.#armed.delete(sinkId);
    this.#armed.set(sinkId, endsAt);
    if (this.#armed.size > MAX_SINKS) this.#armed.delete(this.#armed.keys().next().value as string);
    return endsAt;
  }

  /** Null unless the sink waits for a refused request. `raw` must not have been read. */
  watch(sinkId: string, raw: IncomingMessage, answer: ServerResponse): RefusedBody | null {
    if (this.#armed.size === 0 || !this.#isArmed(sinkId) || this.#watched.size >= MAX_WATCHED) return null;
    const body = new RefusedBody(raw);
    this.#watched.add(body);
    answer.once('close', () => {
      this.release(body);
      // It was paused, and may have been answered unread.
      raw.resume();
    });
    return body;
  }

  /** Called when the request is accepted: its stream may stay open for long. */
  release(body: RefusedBody): void {
    if (this.#watched.delete(body)) body.forget();
  }

  /** Keeps the request with the entry that counts it, unless another was faster. `secretPlace` is where the sender puts its secret. */
  keep(entry: RejectionEntry, sinkId: string, { headers }: IncomingMessage, body: RefusedBody, secretPlace: Place | null): void {
    if (!this.#isArmed(sinkId)) return;
    this.#armed.delete(sinkId);
    this.#forgetOld();
    const isInBody = secretPlace?.startsWith('body:') === true;
    this.#captures.delete(entry);
    this.#captures.set(entry, {
      sinkId,
      headers: maskedHeaders(headers, secretPlace),
      body: isInBody ? null : body.bytes,
      isTruncated: body.isTruncated,
      at: this.#wallClock(),
    });
    if (this.#captures.size > MAX_CAPTURES) this.#captures.delete(this.#captures.keys().next().value as RejectionEntry);
  }

  /** By the position of the entry. */
  find(position: number): RefusedCapture | null {
    this.#forgetOld();
    for (const [{ change }, capture] of this.#captures) if (change.position === position) return capture;
    return null;
  }

  #isArmed(sinkId: string): boolean {
    const endsAt = this.#armed.get(sinkId);
    if (endsAt === undefined) return false;
    if (endsAt > this.#wallClock()) return true;
    this.#armed.delete(sinkId);
    return false;
  }

  #forgetOld(): void {
    const oldest = this.#wallClock() - KEPT_MS;
    for (const [entry, { at }] of this.#captures) if (at < oldest) this.#captures.delete(entry);
  }
}

/** All headers, so that the operator sees which came; the values of secrets are masked. */
function maskedHeaders(headers: IncomingMessage['headers'], secretPlace: Place | null): Record<string, string> {
  const names = Object.keys(headers).filter((name) => name !== '__proto__');
  const secrets = names.filter((name) => isSecretHeader(name) || secretPlace === `header:${name}`);
  return { ...keptHeaders(headers), ...Object.fromEntries(secrets.map((name) => [name, MASKED_SECRET])) };
}
