// A receiver that is gone for a while: every run that was accepted meanwhile is delivered once it is back, across a
// kill -9, under one key and with one body, at no more than the circuit breaker lets through.

import { setTimeout as after } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { DeliveryRecord } from '../../src/storage/delivery-records.ts';
import { openDatabase } from '../support/open-database.ts';
import { defineFlow, webhook } from '../support/remote-admin.ts';
import { startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { type Arrival, startWebhookReceiver } from '../support/webhook-receiver.ts';
import { type Ledger, startLoad } from './load.ts';

const RUNS = 2000;
const ANSWERS_AFTER_MS = 100;
/** From one message on the width doubles with each answer; 64 at once would be 640 in a second. */
const MOST_IN_FIRST_SECOND = 400;
const MAX_WIDTH = 64;

function byKey(arrivals: readonly Arrival[]): Map<string, Arrival[]> {
  const groups = new Map<string, Arrival[]>();
  for (const arrival of arrivals) groups.set(arrival.key, [...(groups.get(arrival.key) ?? []), arrival]);
  return groups;
}

async function readDeliveries(dataDir: string, runIds: ReadonlySet<string>): Promise<DeliveryRecord[]> {
  const { storage } = await openDatabase(dataDir);
  try {
    const found: DeliveryRecord[] = [];
    for (const runId of runIds) {
      const listed = await storage.listDeliveries({ runId, limit: 10 });
      expect(listed).toHaveLength(1);
      found.push((await storage.getDelivery(listed[0]?.id as string)) as DeliveryRecord);
    }
    return found;
  } finally {
    await storage.close();
  }
}

test('all that was accepted while the receiver was gone is delivered when it is back, and without a herd', {
  timeout: 180_000,
}, async () => {
  const dataDir = tempDir();
  const env = { SLUICE_OUTBOUND_ALLOW: '127.0.0.0/8' };
  // Every tenth is told to come again, and never so many in a row that the circuit would open again.
  const seen = new Set<string>();
  const refused = new Set<string>();
  const receiver = await startWebhookReceiver({
    wait: () => after(ANSWERS_AFTER_MS),
    status({ key, succeeded }) {
      if (succeeded < 200 || seen.has(key)) return 200;
      seen.add(key);
      if (seen.size % 10 !== 0) return 200;
      refused.add(key);
      return 503;
    },
  });
  await receiver.goAway();

  const ledger: Ledger = { acknowledged: new Set(), keys: new Map() };
  let server = await startServerProcess({ dataDir, env });
  const retry = { max_retries: 50, base_seconds: 0.2, max_seconds: 1 };
  const step = webhook('notify', receiver.url, { json_payload: { order: '$inputs.id' }, retry });
  await defineFlow(server, 'notify', { inputs: ['id'], steps: [step] });
  let load = startLoad(server.url, ['/demo/notify'], ledger);
  await load.acknowledge(RUNS / 2);
  server.kill('SIGKILL');
  await Promise.all([server.exited, load.stop()]);
  server = await startServerProcess({ dataDir, env });
  load = startLoad(server.url, ['/demo/notify'], ledger);
  await load.acknowledge(RUNS / 2);
  await load.stop();
  expect(receiver.arrivals).toEqual([]);

  await receiver.comeBack();
  const wanted = [...ledger.acknowledged].map((runId) => `${runId}:notify`);
  const hasAll = (): boolean => {
    const arrivals = byKey(receiver.arrivals);
    return wanted.every((key) => (arrivals.get(key)?.length ?? 0) > (refused.has(key) ? 1 : 0));
  };
  await until('all to be delivered', () => receiver.arrivals.length >= RUNS && hasAll(), 40_000);
  server.kill('SIGTERM');
  expect(await server.exited).toBe(0);

  const arrivals = byKey(receiver.arrivals);
  // Beside what was accepted only what was stored when the kill cut its answer off.
  expect(arrivals.size - wanted.length).toBeLessThanOrEqual(24);
  expect(refused.size).toBeGreaterThan(20);
  for (const key of wanted) {
    const tries = arrivals.get(key) as Arrival[];
    expect(tries).toHaveLength(refused.has(key) ? 2 : 1);
    expect(new Set(tries.map(({ body }) => body))).toEqual(new Set(['{"order": 9007199254740993}']));
  }

  // One probe, then one more at a time with each success.
  for (const { underWay, succeeded } of receiver.arrivals)
    expect(underWay).toBeLessThanOrEqual(Math.min(MAX_WIDTH, Math.max(1, succeeded)));
  const began = receiver.arrivals[0]?.at as number;
  const atFirst = receiver.arrivals.filter(({ at }) => at < began + 1000).length;
  expect(atFirst).toBeLessThan(MOST_IN_FIRST_SECOND);

  const deliveries = await readDeliveries(dataDir, ledger.acknowledged);
  for (const { status, attempts, tries, runId, step: name } of deliveries) {
    expect(status).toBe('delivered');
    expect(tries.map(({ attempt }) => attempt)).toEqual(Array.from({ length: attempts }, (_, index) => index + 1));
    const told = tries.map(({ result }) =>
      result.kind === 'response' ? result.status : result.kind === 'network' ? result.code : result.kind,
    );
    expect(told.filter((text) => text !== 'ECONNREFUSED')).toEqual(refused.has(`${runId}:${name}`) ? [503, 200] : [200]);
  }
  const attempts = deliveries.reduce((sum, { tries }) => sum + tries.length, 0);
  const tried = deliveries.filter(({ tries }) => tries.some(({ result }) => result.kind === 'network')).length;
  expect(tried).toBeGreaterThan(0);
  process.stdout.write(
    `outage: ${wanted.length} runs, ${attempts} attempts, ${tried} deliveries tried in vain, ${atFirst} in the first second\n`,
  );
});
