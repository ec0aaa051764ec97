// The rates of sinks, and the fields that tell a client about them (draft-ietf-httpapi-ratelimit-headers). Only a request whose
// sender has proven itself takes a token, so that nobody uses up the rate of others with wrong credentials.

import type { ServerResponse } from 'node:http';
import type { Clock } from '../../clock.ts';
import type { Rate, SinkRate } from '../../core/sink/limits/rate-setting.ts';
import type { Sink } from '../../core/sink/sink.ts';
import { AppError } from '../../errors.ts';
import { clientKeyOf } from './client-key.ts';
import { BucketPool, type TokenBuckets } from './token-buckets.ts';

interface Limits {
  setting: SinkRate | undefined;
  client: TokenBuckets | null;
  sink: TokenBuckets | null;
  /** The value of `RateLimit-Policy`. */
  policy: string;
}

interface Arrival {
  sink: Sink;
  clientIp: string;
}

/** The key of the only bucket of a sink. */
const ALL = '';

export class SinkRates {
  readonly #clients: BucketPool;
  /** One bucket a sink: never forgotten. */
  readonly #sinks: BucketPool;
  /** Of each client, where the sink states none; null for no limit. */
  readonly #byDefault: Rate | null;
  readonly #limits = new Map<string, Limits>();

  constructor(clock: Clock, byDefault: Rate | null) {
    this.#clients = new BucketPool(clock);
    this.#sinks = new BucketPool(clock, Number.POSITIVE_INFINITY);
    this.#byDefault = byDefault;
  }

  /** Returns `rate_limited` if the request would be refused now. Takes no token. */
  check({ sink, clientIp }: Arrival): AppError | null {
    const limits = this.#limitsOf(sink);
    return limits === null ? null : refusalBy(limits, limits.client === null ? '' : clientKeyOf(clientIp));
  }

  /** Takes a token of each rate, or of none and throws `rate_limited`. Sets the fields of the answer. */
  take({ sink, clientIp }: Arrival, answer: ServerResponse): void {
    const limits = this.#limitsOf(sink);
    if (limits === null) return;
    const key = limits.client === null ? '' : clientKeyOf(clientIp);
    const refusal = refusalBy(limits, key);
    if (refusal !== null) throw refusal;
    limits.client?.take(key);
    limits.sink?.take(ALL);
    if (limits.setting === undefined) return;
    const left = [
      ...(limits.client === null ? [] : [field('client', limits.client.left(key))]),
      ...(limits.sink === null ? [] : [field('sink', limits.sink.left(ALL))]),
    ];
    answer.setHeader('ratelimit-policy', limits.policy);
    answer.setHeader('ratelimit', left.join(', '));
  }

  /** Forgets the buckets of sinks that are gone or have another rate. */
  keep(sinks: readonly Sink[]): void {
    const rates = new Map(sinks.map(({ id, rate }) => [id, rate]));
    for (const [id, { setting, client, sink }] of this.#limits) {
      if (rates.has(id) && JSON.stringify(rates.get(id)) === JSON.stringify(setting)) continue;
      this.#limits.delete(id);
      if (client !== null) this.#clients.remove(client);
      if (sink !== null) this.#sinks.remove(sink);
    }
  }

  #limitsOf({ id, rate }: Sink): Limits | null {
    if (rate === undefined && this.#byDefault === null) return null;
    return this.#limits.get(id) ?? this.#open(id, rate);
  }

  #open(id: string, setting: SinkRate | undefined): Limits {
    const ofClient = setting?.client ?? this.#byDefault;
    const ofSink = setting?.sink ?? null;
    const limits = {
      setting,
      client: ofClient === null ? null : this.#clients.add(ofClient),
      sink: ofSink === null ? null : this.#sinks.add(ofSink),
      policy: [...(ofClient === null ? [] : [policy('client', ofClient)]), ...(ofSink === null ? [] : [policy('sink', ofSink)])].join(', '),
    };
    this.#limits.set(id, limits);
    return limits;
  }
}

function refusalBy({ client, sink, policy: policies }: Limits, key: string): AppError | null {
  const ofClient = client?.wait(key) ?? 0;
  const wait = Math.max(ofClient, sink?.wait(ALL) ?? 0);
  if (wait === 0) return null;
  const [name, message] =
    wait === ofClient
      ? (['client', 'too many requests to this sink from this address'] as const)
      : (['sink', 'too many requests to this sink'] as const);
  return new AppError('rate_limited', message, {
    retryAfterSeconds: wait,
    headers: { 'ratelimit-policy': policies, ratelimit: field(name, { tokens: 0, fullInSeconds: wait }) },
  });
}

function policy(name: string, { perSecond, burst }: Rate): string {
  return `"${name}";q=${burst};w=${Math.ceil(burst / perSecond)}`;
}

function field(name: string, { tokens, fullInSeconds }: { tokens: number; fullInSeconds: number }): string {
  return `"${name}";r=${tokens};t=${fullInSeconds}`;
}
