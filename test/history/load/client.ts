// A client of the history check: one operation after the other, chosen at random from what all clients know.

import { setTimeout as after } from 'node:timers/promises';
import type { DeliveryStatus, Operations } from '../history.ts';
import type { ApiOperations } from './operations.ts';
import type { Random } from './random.ts';
import type { Recorder } from './recorder.ts';
import { REPLAYED, SINKS } from './workload.ts';

type Request = Pick<Operations['trigger']['asked'], 'sink' | 'key' | 'marker'>;

const WEIGHTS = {
  trigger: 44,
  events: 10,
  lookup: 10,
  list: 3,
  cancel: 10,
  replay: 4,
  readDelivery: 5,
  listDeliveries: 4,
  retry: 6,
  edit: 4,
  readWorkflow: 4,
} as const;
const SINK_WEIGHTS = { pure: 2, slow: 3, awaited: 3, background: 2, remember: 3, limited: 3 };
const MODE_WEIGHTS = { stream: 4, wait: 3, async: 4 } as const;
const LEAST_PAUSE_MS = 5;
const MOST_PAUSE_MS = 60;
const REMEMBERED = 40;

/** What all clients know: they reuse the keys of each other, and ask about the runs of each other. */
export class Knowledge {
  readonly requests: Request[] = [];
  readonly runs: { runId: string; sink: string }[] = [];
  readonly deliveries: string[] = [];
  readonly versions = new Map<string, number>();
  #lastMarker = 0;

  newMarker(): string {
    this.#lastMarker += 1;
    return `m${this.#lastMarker}`;
  }

  keep<Item>(items: Item[], item: Item): void {
    items.push(item);
    if (items.length > REMEMBERED) items.shift();
  }
}

export interface ClientOptions {
  id: number;
  random: Random;
  api: ApiOperations;
  recorder: Recorder;
  knowledge: Knowledge;
}

export class Client {
  readonly #id: number;
  readonly #random: Random;
  readonly #api: ApiOperations;
  readonly #recorder: Recorder;
  readonly #known: Knowledge;

  constructor({ id, random, api, recorder, knowledge }: ClientOptions) {
    this.#id = id;
    this.#random = random;
    this.#api = api;
    this.#recorder = recorder;
    this.#known = knowledge;
  }

  async run(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      await this.#operate(this.#random.weighted(WEIGHTS));
      // The pace of the load, not a synchronisation.
      await after(this.#random.between(LEAST_PAUSE_MS, MOST_PAUSE_MS));
    }
  }

  async #operate(operation: keyof typeof WEIGHTS): Promise<void> {
    if (operation === 'trigger') return await this.#trigger();
    if (operation === 'list') return void (await this.#do('list', { limit: this.#random.chance(0.5) ? 20 : 200 }));
    if (operation === 'edit' || operation === 'readWorkflow') return await this.#operateOnWorkflow(operation);
    if (operation === 'retry' || operation === 'readDelivery' || operation === 'listDeliveries')
      return await this.#operateOnDelivery(operation);
    const run = this.#random.pick(operation === 'cancel' ? this.#known.runs.slice(-8) : this.#known.runs);
    if (run === undefined) return;
    const { runId, sink } = run;
    if (operation === 'events') return void (await this.#do('events', { runId, after: Math.floor(this.#random.between(0, 6)) }));
    if (operation !== 'replay') return void (await this.#do(operation, { runId }));
    if (!REPLAYED.has(sink)) return;
    const replayed = await this.#do('replay', { runId });
    if (replayed !== undefined) this.#known.keep(this.#known.runs, { runId: replayed.runId, sink });
  }

  async #trigger(): Promise<void> {
    const request = this.#chooseRequest();
    const mode = this.#random.weighted(MODE_WEIGHTS);
    const isResumed = mode === 'stream' && request.key !== null && this.#random.chance(0.2);
    const told = await this.#do('trigger', { ...request, mode, after: isResumed ? Math.floor(this.#random.between(1, 5)) : null });
    if (told === undefined) return;
    this.#known.keep(this.#known.runs, { runId: told.runId, sink: request.sink });
    // A run that was not waited for may still be open.
    if (mode === 'async' && this.#random.chance(0.3)) await this.#do('cancel', { runId: told.runId });
  }

  /** A new request, with a key or without; a known one again; or another one under a known key. */
  #chooseRequest(): Request {
    const known = this.#random.pick(this.#known.requests);
    if (known !== undefined && this.#random.chance(0.25)) return known;
    const isConflict = known !== undefined && this.#random.chance(0.07);
    const sink = isConflict ? known.sink : this.#random.weighted(SINK_WEIGHTS);
    const marker = this.#known.newMarker();
    if (isConflict) return { sink, key: known.key, marker };
    if (!this.#random.chance(0.4)) return { sink, key: null, marker };
    // The key of another sink is a key of its own.
    const isShared = known !== undefined && known.sink !== sink && this.#random.chance(0.1);
    const request = { sink, key: isShared ? known.key : `key-${marker}`, marker };
    this.#known.keep(this.#known.requests, request);
    return request;
  }

  async #operateOnDelivery(operation: 'retry' | 'readDelivery' | 'listDeliveries'): Promise<void> {
    const deliveryId = this.#random.pick(this.#known.deliveries);
    if (operation === 'listDeliveries' || deliveryId === undefined) {
      const status = this.#random.pick<DeliveryStatus>(['failed', 'failed', 'delivered', 'queued']) as DeliveryStatus;
      const told = await this.#do('listDeliveries', { status });
      for (const delivery of told?.deliveries.slice(0, 10) ?? []) this.#known.keep(this.#known.deliveries, delivery.deliveryId);
    } else if (operation === 'retry') await this.#do('retry', { deliveryId, isBulk: this.#random.chance(0.3) });
    else await this.#do('readDelivery', { deliveryId });
  }

  async #operateOnWorkflow(operation: 'edit' | 'readWorkflow'): Promise<void> {
    const workflow = this.#random.pick(SINKS) as string;
    const newest = this.#known.versions.get(workflow) ?? null;
    const known = newest !== null && this.#random.chance(0.3) ? newest - 1 : newest;
    const told =
      operation === 'readWorkflow'
        ? await this.#do('readWorkflow', { workflow })
        : await this.#do('edit', {
            workflow,
            edition: `edition-${this.#known.newMarker()}`,
            base: known !== null && this.#api.knowsTag(workflow, known) && this.#random.chance(0.6) ? known : null,
          });
    if (told !== undefined) this.#known.versions.set(workflow, told.version);
  }

  #do<Name extends keyof Operations>(name: Name, asked: Operations[Name]['asked']): Promise<Operations[Name]['told'] | undefined> {
    const perform = this.#api[name].bind(this.#api) as (asked: Operations[Name]['asked']) => ReturnType<Perform<Name>>;
    return this.#recorder.operate(this.#id, name, asked, () => perform(asked));
  }
}

type Perform<Name extends keyof Operations> = Parameters<typeof Recorder.prototype.operate<Name>>[3];
