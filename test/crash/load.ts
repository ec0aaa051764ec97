// Load on a server that may die at any moment, and the list of every run that it has acknowledged until then.

import { Agent, request } from 'node:http';

/** What was acknowledged, by however many servers in turn. */
export interface Ledger {
  /** Run ids whose 2xx, or head of a stream, has come. */
  acknowledged: Set<string>;
  /** `path key` of each request with an idempotency key that was acknowledged, and its run. */
  keys: Map<string, string>;
}

export interface Load {
  /** Resolves at the moment at which so many more runs are acknowledged. */
  acknowledge(count: number): Promise<void>;
  /** Resolves when nothing is on its way any more. */
  stop(): Promise<void>;
}

const WORKERS = 24;
const PAUSE_WHEN_REFUSED_MS = 20;
/** Every so many requests carry an idempotency key. */
const KEY_EVERY = 10;

/** Posts to the sinks in turn until stopped; what the server refuses or cuts off is not acknowledged. */
export function startLoad(url: string, paths: readonly string[], { acknowledged, keys }: Ledger): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: 512 });
  const before = acknowledged.size;
  const waiters: { count: number; resolve: () => void }[] = [];
  let isStopped = false;
  let sent = 0;

  async function work(): Promise<void> {
    while (!isStopped) {
      sent += 1;
      const path = paths[sent % paths.length];
      const key = sent % KEY_EVERY === 0 ? `key-${before}-${sent}` : null;
      const runId = await post(agent, `${url}${path}`, key);
      if (runId === null) {
        await new Promise((resolve) => setTimeout(resolve, PAUSE_WHEN_REFUSED_MS));
        continue;
      }
      acknowledged.add(runId);
      if (key !== null) keys.set(`${path} ${key}`, runId);
      for (const { count, resolve } of waiters) if (acknowledged.size - before >= count) resolve();
    }
  }

  const workers = Array.from({ length: WORKERS }, work);
  return {
    acknowledge: (count) =>
      new Promise((resolve) => {
        waiters.push({ count, resolve });
      }),
    async stop() {
      isStopped = true;
      await Promise.all(workers);
      agent.destroy();
    },
  };
}

/** The id of the run once the server has acknowledged it; null when it was refused or cut off. Streams are read on. */
export function post(agent: Agent, url: string, idempotencyKey: string | null): Promise<string | null> {
  const isFile = url.endsWith('/file');
  const headers = {
    'content-type': isFile ? 'application/octet-stream' : 'application/json',
    ...(idempotencyKey === null ? {} : { 'idempotency-key': idempotencyKey }),
  };
  return new Promise((resolve) => {
    const outgoing = request(url, { method: 'POST', agent, headers }, (response) => {
      const runId = response.headers['x-run-id'];
      const isAcknowledged = [200, 202, 502].includes(response.statusCode ?? 0) && typeof runId === 'string';
      response.on('error', () => undefined).resume();
      resolve(isAcknowledged ? runId : null);
    });
    outgoing.on('error', () => resolve(null));
    // The same content under the same key, and else a file of its own.
    outgoing.end(isFile ? (idempotencyKey ?? String(Math.random())).repeat(200) : '{"event":"order","id":9007199254740993,"price":1.0}');
  });
}
