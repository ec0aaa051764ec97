// The rates of sinks, and the fields that tell a client about them (draft-ietf-httpapi-ratelimit-headers). Only a request whose
// sender has proven itself takes a token, so that nobody uses up the rate of others with wrong credentials.
//
// The buckets are in memory. Those of a sink are filled as the requests left them that storage has on record, when the first
// request comes after a start or after an edit of the rate.

import type { ServerResponse } from 'node:http';
import type { Clock } from '../../clock.ts';
import type { Rate, SinkRate } from '../../core/sink/limits/rate-setting.ts';
import type { Sink } from '../../core/sink/sink.ts';
import { AppError } from '../../errors.ts';
import type { RequestTime } from '../../storage/runs/run-queries.ts';
import type { Storage } from '../../storage/storage.ts';
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
/** In times to fill a bucket: requests before that do not matter, unless nearly all of the rate was used ever since. */
const LOOK_BACK = 8;
const MAX_READ = 10_000;

export class SinkRates {
  readonly #clients: BucketPool;
  /** One bucket a sink: never forgotten. */
  readonly #sinks: BucketPool;
  /** Of each client, where the sink states none; null for no limit. */
  readonly #byDefault: Rate | null;
  readonly #limits = new Map<string, Limits>();
  readonly #opening = new Map<string, Promise<void>>();
  readonly #clock: Clock;
  readonly #requests: Pick<Storage, 'listRequestTimes'>;

  /** The clock is that of the storage. */
  constructor(clock: Clock, byDefault: Rate | null, requests: Pick<Storage, 'listRequestTimes'>) {
    this.#clock = clock;
    this.#requests = requests;
    this.#clients = new BucketPool(clock);
    this.#sinks = new BucketPool(clock, Number.POSITIVE_INFINITY);
    this.#byDefault = byDefault;
  }

  /** Returns `rate_limited` if the request would be refused now. Takes no token. Undefined: the sink must be opened first. */
  check({ sink, clientIp }: Arrival): AppError | null | undefined {
    const limits = this.#limitsOf(sink);
    return limits == null ? limits : refusalBy(limits, limits.client === null ? '' : clientKeyOf(clientIp));
  }

  /** Takes a token of each rate, or of none and throws `rate_limited`. Sets the fields of the answer. */
  take({ sink, clientIp }: Arrival, answer: ServerResponse): void {
    const limits = this.#limitsOf(sink);
    // An edit has come in between: the request is on record when the next one opens the sink.
    if (limits == null) return;
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
    for (const [id, { setting }] of this.#limits)
      if (!rates.has(id) || JSON.stringify(rates.get(id)) !== JSON.stringify(setting)) this.#forget(id);
  }

  /** Fills the buckets of a sink as earlier requests left them. Rejects with `unavailable`. */
  open(sink: Sink): Promise<void> {
    const opening = this.#opening.get(sink.id) ?? this.#open(sink).finally(() => this.#opening.delete(sink.id));
    this.#opening.set(sink.id, opening);
    return opening;
  }

  /** Null: the sink has no rate. Undefined: it is not open. */
  #limitsOf({ id, rate }: Sink): Limits | null | undefined {
    if (rate === undefined && this.#byDefault === null) return null;
    const limits = this.#limits.get(id);
    if (limits === undefined || limits.setting === rate) return limits;
    if (JSON.stringify(limits.setting) !== JSON.stringify(rate)) return undefined;
    limits.setting = rate;
    return limits;
  }

  async #open({ id, rate: setting, split, workflows }: Sink): Promise<void> {
    const ofClient = setting?.client ?? this.#byDefault;
    const ofSink = setting?.sink ?? null;
    const windowMs = 1000 * Math.max(...[ofClient, ofSink].map((rate) => (rate === null ? 0 : rate.burst / rate.perSecond)));
    const since = Math.max(0, this.#clock() - LOOK_BACK * windowMs);
    const times = await this.#requests.listRequestTimes(id, since, MAX_READ);
    this.#forget(id);
    const client = ofClient === null ? null : this.#clients.add(ofClient);
    const sink = ofSink === null ? null : this.#sinks.add(ofSink);
    // Earlier requests are not known. They may have used up the rate of the sink; a client is not refused for those of others.
    sink?.emptyAt(ALL, times.length < MAX_READ ? since : (times.at(-1)?.at ?? since));
    for (const { at, clientIp } of (split === undefined && workflows === undefined ? times : onePerRequest(times)).reverse()) {
      client?.takePast(clientKeyOf(clientIp), at);
      sink?.takePast(ALL, at);
    }
    const policies = [...(ofClient === null ? [] : [policy('client', ofClient)]), ...(ofSink === null ? [] : [policy('sink', ofSink)])];
    this.#limits.set(id, { setting, client, sink, policy: policies.join(', ') });
  }

  #forget(id: string): void {
    const { client = null, sink = null } = this.#limits.get(id) ?? {};
    this.#limits.delete(id);
    if (client !== null) this.#clients.remove(client);
    if (sink !== null) this.#sinks.remove(sink);
  }
}

/** A request that is split, or starts several workflows, has several runs. */
function onePerRequest(times: readonly RequestTime[]): RequestTime[] {
  const byRequest = new Map(times.map((time) => [`${time.receivedAt} ${time.clientIp}`, time]));
  return [...byRequest.values()];
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
