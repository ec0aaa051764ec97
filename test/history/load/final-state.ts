// Reads all that the server has when everything has ended.

import { until } from '../../support/until.ts';
import type { FinalDelivery, FinalRun, FinalState } from '../history.ts';
import { Caller, framesOf } from './http-call.ts';
import { readDelivery, readRun } from './operations.ts';
import { APP, editionOf, SINKS } from './workload.ts';

const AT_ONCE = 8;
const PAGE = 500;
const SETTLE_MS = 90_000;

export class FinalReader {
  readonly #caller = new Caller();
  readonly #base: string;

  constructor(base: string) {
    this.#base = base;
  }

  /** Waits until no run and no delivery is open; gives up quietly, because the check then names those that are. */
  async settle(): Promise<void> {
    const isOpen = async (path: string): Promise<boolean> => {
      const [list] = Object.values(await this.#get(`${path}&limit=1`)) as unknown[][];
      return list?.length !== 0;
    };
    const open = [
      ...['queued', 'running', 'waiting'].map((status) => `/runs?status=${status}`),
      ...['queued', 'sending'].map((status) => `/deliveries?status=${status}`),
    ];
    const isSettled = async (): Promise<boolean> => {
      for (const path of open) if (await isOpen(path)) return false;
      return true;
    };
    await until('everything to end', isSettled, SETTLE_MS).catch(() => undefined);
  }

  async read(): Promise<FinalState> {
    const runs = await this.#pages('/runs', 'runs');
    const deliveries = await this.#pages('/deliveries', 'deliveries');
    const state = {
      runs: await atOnce(runs, ({ run_id: runId }) => this.#run(runId)),
      deliveries: await atOnce(deliveries, ({ delivery_id: deliveryId }) => this.#delivery(deliveryId)),
      editions: Object.fromEntries(await atOnce(SINKS, async (sink) => [sink, await this.#editions(sink)] as const)),
    };
    this.#caller.close();
    return state;
  }

  async #run(runId: string): Promise<FinalRun> {
    const run = await this.#get(`/runs/${runId}`);
    // The stream of a run that has not ended goes on until the caller leaves.
    const events = framesOf(await this.#text(`/runs/${runId}/events`, ['whole', 'timeout']));
    const { marker } = JSON.parse(run.request.body) as { marker: string };
    return { ...readRun(run), sink: String(run.request.path).slice(1), marker, version: run.workflow_version, events };
  }

  async #delivery(deliveryId: string): Promise<FinalDelivery> {
    const delivery = await this.#get(`/deliveries/${deliveryId}`);
    return {
      ...readDelivery(delivery),
      attempts: delivery.attempts.map(({ attempt, kind, status }: FinalDelivery['attempts'][number]) => ({ attempt, kind, status })),
    };
  }

  async #editions(workflow: string): Promise<string[]> {
    const path = `/apps/${APP}/workflows/${workflow}`;
    const { version } = await this.#get(path);
    const versions = Array.from({ length: version as number }, (_, index) => index + 1);
    return await atOnce(versions, async (number) => editionOf((await this.#get(`${path}?version=${number}`)).definition));
  }

  async #pages(path: string, name: string): Promise<any[]> {
    const found: any[] = [];
    for (let cursor: unknown = ''; cursor !== null; ) {
      const page = await this.#get(`${path}?limit=${PAGE}${cursor === '' ? '' : `&cursor=${cursor}`}`);
      found.push(...page[name]);
      cursor = page.next_cursor;
    }
    return found;
  }

  async #get(path: string): Promise<any> {
    return JSON.parse(await this.#text(path));
  }

  async #text(path: string, endings: readonly string[] = ['whole']): Promise<string> {
    const headers = { authorization: 'Bearer admin-token-of-the-tests' };
    const answer = await this.#caller.call(this.#base, { method: 'GET', path: `/api/v1${path}`, headers });
    if ('lost' in answer || answer.status !== 200 || !endings.includes(answer.ending))
      throw new Error(`${path} could not be read: ${JSON.stringify(answer)}`);
    return answer.text;
  }
}

async function atOnce<Item, Result>(items: readonly Item[], read: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (let start = 0; start < items.length; start += AT_ONCE) {
    results.push(...(await Promise.all(items.slice(start, start + AT_ONCE).map(read))));
  }
  return results;
}
