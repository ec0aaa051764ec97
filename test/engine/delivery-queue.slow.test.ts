// The queue of deliveries by itself: what it asks of the database, and how much, while receivers are slow, gone or many.

import { setMaxListeners } from 'node:events';
import { expect, test } from 'vitest';
import { deliveryIdOf } from '../../src/core/delivery/delivery-id.ts';
import type { HttpMessage, OutboundResult } from '../../src/core/delivery/outbound.ts';
import { DeliveryQueue } from '../../src/delivery/queue/delivery-queue.ts';
import { MAX_WIDTH } from '../../src/delivery/queue/origin-queue.ts';
import { AppError } from '../../src/errors.ts';
import { LEASE_MS } from '../../src/leases/lease.ts';
import { createLogger } from '../../src/logger.ts';
import type { ClaimedDelivery } from '../../src/storage/delivery-records.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { plentyOfMemory } from '../support/plenty-of-memory.ts';
import { until } from '../support/until.ts';

const ORIGIN = 'http://receiver.test';
const RETRY = { maxRetries: 50, baseSeconds: 0, maxSeconds: 0 };

interface Sent {
  id: string;
  answer(status: number): void;
}

interface Bench {
  queue: DeliveryQueue;
  sent: Sent[];
  /** How often the database was asked what is due. */
  asked(): number;
  now(): number;
  advance(ms: number): void;
  /** From now on storage refuses to release deliveries. */
  refuseReleases(): void;
  /** From now on the database answers nothing of the kind, until the returned function is called. */
  stall(): () => void;
}

const messageOf = (bytes: number): HttpMessage => ({
  transport: 'http',
  method: 'POST',
  url: ORIGIN,
  headers: {},
  body: [new Uint8Array(bytes)],
  timeoutMs: 1000,
  redirects: 'refuse',
  succeeds: '2xx',
  signingSecret: null,
});

/** A queue whose database holds so many deliveries of so many bytes to each origin, all due. `sleepsAt`: how many are sent when the machine sleeps for an hour. */
async function startQueue(stored: Record<string, { count: number; bytes: number; latestOf?: string }>, sleepsAt = 0): Promise<Bench> {
  let now = 1_800_000_000_000;
  let asked = 0;
  let stalled = Promise.resolve();
  let refusesReleases = false;
  const sent: Sent[] = [];
  const rows = Object.entries(stored).flatMap(([origin, { count, bytes, latestOf = null }], index) =>
    Array.from({ length: count }, (_, number): ClaimedDelivery & { dueAt: number | null } => ({
      id: deliveryIdOf(`run_${index}`, number),
      step: 's',
      isAwaited: false,
      origin,
      message: messageOf(bytes),
      retry: RETRY,
      // The last one, so that the others are in flight.
      latestOf: number === count - 1 ? latestOf : null,
      epoch: 1,
      attempts: 0,
      lastAttempt: 51,
      dueAt: now,
    })),
  );
  const queue = new DeliveryQueue({
    memory: plentyOfMemory().deliveries,
    onLeaseLost: () => undefined,
    onRunsDue: () => undefined,
    isAlone: true,
    clock: () => now,
    toWall: (at) => at,
    random: () => 0.5,
    logger: createLogger('silent').logger,
    send: (_message, { deliveryId, signal }) =>
      new Promise<OutboundResult>((resolve) => {
        const answer = (status: number): void =>
          resolve({ kind: 'response', status, reason: '', url: ORIGIN, headers: {}, body: new Uint8Array(), isTruncated: false });
        if (sent.push({ id: deliveryId, answer }) === sleepsAt) now += 3_600_000;
        setMaxListeners(0, signal);
        signal.addEventListener('abort', () => resolve({ kind: 'network', code: 'ABORTED', reason: '' }));
      }),
    async record(held, _attempt, next) {
      const row = rows.find(({ id }) => id === held.id);
      if (row !== undefined) Object.assign(row, { dueAt: next.dueAt, attempts: row.attempts + 1 });
    },
    storage: {
      async claimDeliveries(origins) {
        return origins.flatMap(({ origin, limit, maxBytes }) => {
          const { bytes } = stored[origin] ?? { bytes: 1 };
          const count = Math.min(limit, Math.max(1, Math.ceil(maxBytes / bytes)));
          const due = rows.filter((row) => row.origin === origin && row.dueAt !== null && row.dueAt <= now).slice(0, count);
          for (const row of due) row.dueAt = now + LEASE_MS;
          return due;
        });
      },
      async listDueOrigins() {
        asked += 1;
        await stalled;
        const origins = [...new Set(rows.filter(({ dueAt }) => dueAt !== null).map(({ origin }) => origin))];
        return origins.map((origin) => ({
          origin,
          dueAt: Math.min(...rows.filter((row) => row.origin === origin && row.dueAt !== null).map(({ dueAt }) => dueAt as number)),
        }));
      },
      async renewDeliveries(leases) {
        for (const { id } of leases) Object.assign(rows.find((row) => row.id === id) ?? {}, { dueAt: now + LEASE_MS });
        return [];
      },
      async releaseDeliveries(leases) {
        if (refusesReleases) throw new AppError('unavailable', 'the database is locked');
        for (const { id } of leases) Object.assign(rows.find((row) => row.id === id) ?? {}, { dueAt: null });
      },
    },
  });
  onTestEnd(() => queue.drain(0));
  await queue.start();
  return {
    queue,
    sent,
    asked: () => asked,
    now: () => now,
    advance(ms) {
      now += ms;
    },
    refuseReleases() {
      refusesReleases = true;
    },
    stall() {
      let goOn: () => void = () => undefined;
      stalled = new Promise((resolve) => {
        goOn = resolve;
      });
      return goOn;
    },
  };
}

const aMoment = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50));

/** Answers all that is sent until nothing more is. */
async function answerAll(sent: readonly Sent[], status: number): Promise<void> {
  for (let answered = 0; answered < sent.length; await aMoment()) {
    for (const { answer } of sent.slice(answered)) answer(status);
    answered = sent.length;
  }
}

test('the database is not asked again and again while a probe is in flight', async () => {
  const { sent, asked, advance } = await startQueue({ [ORIGIN]: { count: 100, bytes: 10 } });
  await until('the first to be sent', () => sent.length === 64);
  await answerAll(sent, 500);
  const failed = sent.length;
  advance(2000);
  await until('a probe', () => sent.length === failed + 1);
  const before = asked();
  await aMoment();
  expect(sent.length).toBe(failed + 1);
  expect(asked() - before).toBeLessThan(5);
});

test('nor while one receiver holds all that it may hold', async () => {
  const { sent, asked } = await startQueue({ [ORIGIN]: { count: 100, bytes: 4_000_000 } });
  await until('the first to be sent', () => sent.length > 0);
  await aMoment();
  const before = asked();
  await aMoment();
  expect(asked() - before).toBeLessThan(5);
});

test('large messages to one receiver take no more memory than they leave to others, and all are sent in the end', async () => {
  const { sent } = await startQueue({ [ORIGIN]: { count: 100, bytes: 4_000_000 } });
  await until('the first to be sent', () => sent.length > 0);
  await aMoment();
  expect(sent.length).toBeLessThanOrEqual(9);
  await answerAll(sent, 200);
  expect(new Set(sent.map(({ id }) => id)).size).toBe(100);
});

test('many silent receivers leave memory to another one, and a message larger than the budget is sent alone', async () => {
  const silent = Object.fromEntries(
    Array.from({ length: 20 }, (_, index) => [`http://silent-${index}.test`, { count: 50, bytes: 4_000_000 }]),
  );
  const { queue, sent, now } = await startQueue({ ...silent, [ORIGIN]: { count: 1, bytes: 100_000_000 } });
  const first = deliveryIdOf('run_20', 0);
  await until('the large one to be sent', () => sent.some(({ id }) => id === first));
  await aMoment();
  expect(sent.length).toBeLessThan(60);

  const fresh = {
    id: deliveryIdOf('run_new', 0),
    step: 's',
    isAwaited: false,
    origin: 'http://fresh.test',
    retry: RETRY,
    overflow: null,
    isLeased: false,
    isRecorded: false,
  };
  const admitted = queue.reserve([{ ...fresh, message: messageOf(4_000_000) }]);
  queue.enqueue(admitted, { runId: 'run_new', hasWaiter: false, leasedAt: now() });
  expect(sent.at(-1)?.id).toBe(fresh.id);
});

test('however many receivers there are, what is held for them has a bound, and all are sent in the end', async () => {
  const receivers = Object.fromEntries(Array.from({ length: 150 }, (_, index) => [`http://${index}.test`, { count: 1, bytes: 4_000_000 }]));
  const { sent } = await startQueue(receivers);
  await until('the first to be sent', () => sent.length > 0);
  await aMoment();
  expect(sent.length).toBeLessThanOrEqual(96);
  await answerAll(sent, 200);
  expect(new Set(sent.map(({ id }) => id)).size).toBe(150);
});

test('what is being sent is not taken for abandoned after a sleep of the machine, nor sent twice', async () => {
  const { sent, asked } = await startQueue({ [ORIGIN]: { count: 3, bytes: 10 } }, 3);
  await until('all to be sent', () => sent.length >= 3);
  await until('the database to be asked again', () => asked() > 2);
  await aMoment();
  expect(sent).toHaveLength(3);
});

test('the end of a pause that comes while the database is asked is not missed', async () => {
  const { queue, sent, asked, advance, stall } = await startQueue({ [ORIGIN]: { count: 100, bytes: 10 } });
  await until('the first to be sent', () => sent.length === 64);
  await answerAll(sent, 500);
  const failed = sent.length;
  const before = asked();
  const goOn = stall();
  queue.markDue('http://other.test');
  await until('the database to be asked', () => asked() > before);
  advance(2000);
  await new Promise((resolve) => setTimeout(resolve, 1200));
  expect(sent.length).toBe(failed);
  goOn();
  await until('the probe', () => sent.length === failed + 1);
});

/** All slots are in use, and a delivery of a group is queued behind them when a newer one of the group is stored. */
async function supersede(before: (bench: Bench) => void = () => undefined): Promise<{ sent: Sent[]; older: string }> {
  const bench = await startQueue({ [ORIGIN]: { count: MAX_WIDTH + 1, bytes: 10, latestOf: 'gate 7' } });
  await until('the first to be sent', () => bench.sent.length === MAX_WIDTH);
  before(bench);
  const newer = {
    id: deliveryIdOf('run_new', 0),
    step: 's',
    isAwaited: false,
    origin: ORIGIN,
    retry: RETRY,
    message: messageOf(10),
    overflow: { policy: 'latest_wins', group: 'gate 7' } as const,
    isLeased: false,
    isRecorded: false,
  };
  const admitted = bench.queue.reserve([newer]);
  expect(admitted, 'storage decides whether it is sent').toEqual([newer]);
  bench.queue.enqueue(admitted, { runId: 'run_new', hasWaiter: false, leasedAt: bench.now() });
  await aMoment();
  await answerAll(bench.sent, 200);
  return { sent: bench.sent, older: deliveryIdOf('run_0', MAX_WIDTH) };
}

test('a queued delivery is released when a newer one of its group is stored', async () => {
  const { sent, older } = await supersede();
  expect(sent.map(({ id }) => id)).not.toContain(older);
  expect(sent).toHaveLength(MAX_WIDTH);
});

test('and is sent where the database does not take it back', async () => {
  const { sent, older } = await supersede(({ refuseReleases }) => refuseReleases());
  expect(sent.filter(({ id }) => id === older)).toHaveLength(1);
});
