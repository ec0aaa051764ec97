// Storage contract: deliveries are stored with the turn that asks for them, sent by one owner at a time, and listed.

import { describe, expect, test } from 'vitest';
import { deliveryIdOf } from '../../../src/core/delivery/delivery-id.ts';
import type { OutboundMessage } from '../../../src/core/delivery/outbound.ts';
import { NO_RETRY } from '../../../src/core/delivery/retry.ts';
import type { Lease, Turn } from '../../../src/storage/run-records.ts';
import {
  answered,
  attemptOf,
  bytesOf,
  createDeliveryBench,
  DELIVERED,
  FAILED,
  MESSAGE,
  newDelivery,
  newOrigin,
  waitingFor,
} from './delivery-bench.ts';
import { LEASE_MS, NOW, runningTurn, step, type Workbench } from './workbench.ts';

export function deliveriesContract(workbench: () => Workbench): void {
  const { addWaitingRun, claim, claimOne, statusOf } = createDeliveryBench(workbench);

  describe('a delivery', () => {
    test('is stored with the run that asks for it, and handed out whole', async () => {
      const { storage, addSink, newRun } = workbench();
      const sink = await addSink();
      const run = newRun(sink);
      const origin = newOrigin();
      const retry = { maxRetries: 3, baseSeconds: 0.5, maxSeconds: 60 };
      const deliveries = [newDelivery(run.runId, 0, { origin, retry }), newDelivery(run.runId, 4, { isAwaited: false })];
      await storage.createRun({ ...run, turn: { ...run.turn, status: 'waiting', wakeAt: null, deliveries } });
      expect(await storage.getDelivery(deliveries[0]?.id ?? '')).toEqual({
        id: deliveryIdOf(run.runId, 0),
        runId: run.runId,
        appId: sink.appId,
        sinkId: sink.id,
        step: 's0',
        status: 'queued',
        target: { transport: 'http', method: 'POST', url: MESSAGE.url },
        message: MESSAGE,
        attempts: 0,
        lastAttempt: 4,
        lastResult: null,
        dueAt: NOW,
        createdAt: NOW,
        finishedAt: null,
        droppedReason: null,
        tries: [],
      });
      expect(await claimOne(origin)).toEqual({
        id: deliveryIdOf(run.runId, 0),
        step: 's0',
        latestOf: null,
        isAwaited: true,
        origin,
        message: MESSAGE,
        retry,
        epoch: expect.any(Number),
        attempts: 0,
        lastAttempt: 4,
      });
      await claim('https://receiver.test');
    });

    test('is stored with a later turn too, under a lease of its writer when it has one', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const { lease } = await addClaimedRun(await addSink());
      const origin = newOrigin();
      const held = newDelivery(lease.runId, 0, { origin, leaseUntil: NOW + LEASE_MS });
      const left = newDelivery(lease.runId, 1, { origin });
      expect(await storage.advanceRun(lease, runningTurn({ deliveries: [held, left] }))).toBe(true);
      expect([await statusOf(held.id), await statusOf(left.id)]).toEqual(['sending', 'queued']);
      expect((await claim(origin)).map(({ id }) => id)).toEqual([left.id]);
      // The writer's lease is the first one.
      expect(await storage.recordAttempt({ id: held.id, epoch: 1 }, attemptOf(1, answered(200)), DELIVERED, null)).toBe('recorded');
    });

    test('is not stored with a turn that is refused', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const { lease } = await addClaimedRun(await addSink(), { turn: { steps: [step('done')] } });
      const delivery = newDelivery(lease.runId, 0);
      const refused: [Lease, Partial<Turn>][] = [
        [{ ...lease, epoch: lease.epoch + 1 }, {}],
        [lease, { steps: [step('done')] }],
        [lease, { memory: [{ key: 'k', version: 7, value: '1' }] }],
      ];
      for (const [by, fields] of refused) {
        expect(await storage.advanceRun(by, waitingFor(delivery, fields))).toBe(false);
        expect(await storage.getDelivery(delivery.id)).toBeNull();
      }
    });

    test('may hold bytes of any kind, files by their hash, no body, or a mail with attachments', async () => {
      const file = { sha256: 'a'.repeat(64), size: 5 };
      const mail: OutboundMessage = {
        transport: 'smtp',
        host: 'mail.test',
        port: 587,
        user: 'u',
        password: 'p',
        from: 'a@test',
        to: ['b@test', 'c@test'],
        cc: [],
        bcc: ['d@test'],
        subject: 'é "x"',
        text: null,
        html: '<b>hi</b>',
        attachments: [
          { filename: 'a.bin', content: Uint8Array.of(0, 255), contentType: null, cid: null },
          { filename: 'b.png', content: file, contentType: 'image/png', cid: 'b' },
          { filename: 'c.txt', content: bytesOf('c'), contentType: 'text/plain', cid: null },
        ],
        timeoutMs: 1000,
      };
      const messages: OutboundMessage[] = [
        { ...MESSAGE, body: [Uint8Array.of(0, 1, 255), file, new Uint8Array(70_000).fill(7)] },
        { ...MESSAGE, body: null },
        { ...MESSAGE, body: [] },
        { ...MESSAGE, body: [new Uint8Array(), file], url: 'https://receiver.test/\u0000"' },
        mail,
      ];
      for (const message of messages) {
        const { delivery } = await addWaitingRun({ message });
        expect((await workbench().storage.getDelivery(delivery.id))?.message).toEqual(message);
        expect((await claimOne(delivery.origin)).message).toEqual(message);
      }
      const [listed] = await workbench().storage.listDeliveries({ limit: 1 });
      expect(listed?.target).toEqual({ transport: 'smtp', host: 'mail.test', port: 587, to: ['b@test', 'c@test'] });
    });
  });

  describe('claimDeliveries', () => {
    test('takes those that are due longest first, up to the limit of each origin, and of no other origin', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const sink = await addSink();
      const [one, two, other] = [newOrigin(), newOrigin(), newOrigin()];
      const made = new Map<string, string>();
      for (const [origin, at] of [
        [one, 30],
        [one, 10],
        [one, 20],
        [two, 40],
        [two, 50],
        [other, 0],
      ] as const) {
        const { lease } = await addClaimedRun(sink);
        const delivery = newDelivery(lease.runId, 0, { origin });
        await storage.advanceRun(lease, waitingFor(delivery, { at: NOW + at }));
        made.set(delivery.id, `${origin} ${at}`);
      }
      const both = async (now: number): Promise<Set<string | undefined>> => {
        const limits = [
          { origin: one, limit: 2, maxBytes: 1_000_000 },
          { origin: two, limit: 1, maxBytes: 1_000_000 },
        ];
        return new Set((await storage.claimDeliveries(limits, now, now + LEASE_MS)).map(({ id }) => made.get(id)));
      };
      expect(await both(NOW + 9)).toEqual(new Set());
      expect(await both(NOW + 100)).toEqual(new Set([`${one} 10`, `${one} 20`, `${two} 40`]));
      expect(await both(NOW + 100)).toEqual(new Set([`${one} 30`, `${two} 50`]));
      expect(await both(NOW + 100)).toEqual(new Set());
    });

    test('takes none after those whose bodies come to as many bytes as may be taken, and one in any case', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const origin = newOrigin();
      const { lease } = await addClaimedRun(await addSink());
      const sizes = [100, 0, 100, 1000, 1, 1];
      const deliveries = sizes.map((size, index) =>
        newDelivery(lease.runId, index, { origin, message: { ...MESSAGE, body: [new Uint8Array(size)] } }),
      );
      await storage.advanceRun(lease, runningTurn({ deliveries }));
      const claimed = async (maxBytes: number): Promise<number[]> => {
        const found = await storage.claimDeliveries([{ origin, limit: 100, maxBytes }], NOW, NOW + LEASE_MS);
        return found.map(({ id }) => deliveries.findIndex((delivery) => delivery.id === id)).sort();
      };
      expect(await claimed(0)).toEqual([0]);
      expect(await claimed(100)).toEqual([1, 2]);
      expect(await claimed(1000)).toEqual([3]);
      expect(await claimed(Number.POSITIVE_INFINITY)).toEqual([4, 5]);
    });

    test('gives each delivery to one owner, however many ask at the same time', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const origin = newOrigin();
      const { lease } = await addClaimedRun(await addSink());
      const deliveries = Array.from({ length: 30 }, (_, index) => newDelivery(lease.runId, index, { origin }));
      await storage.advanceRun(lease, runningTurn({ deliveries }));
      const claims = await Promise.all(Array.from({ length: 8 }, () => claim(origin, NOW, 7)));
      expect(
        claims
          .flat()
          .map(({ id }) => id)
          .sort(),
      ).toEqual(deliveries.map(({ id }) => id).sort());
    });

    test('leaves one to its owner until the lease is over, then gives it out under a new lease', async () => {
      const { delivery } = await addWaitingRun();
      const { epoch } = await claimOne(delivery.origin);
      expect(await claim(delivery.origin, NOW + LEASE_MS - 1)).toEqual([]);
      expect((await claimOne(delivery.origin, NOW + LEASE_MS)).epoch).toBeGreaterThan(epoch);
    });
  });

  describe('a lease on a delivery', () => {
    test('is extended by renewing it; stale ones are named, and unknown ones', async () => {
      const { storage } = workbench();
      const { delivery, run } = await addWaitingRun();
      const lease = await claimOne(delivery.origin);
      const stale = { id: lease.id, epoch: lease.epoch - 1 };
      const unknown = { id: deliveryIdOf(run.lease.runId, 9), epoch: 1 };
      expect(await storage.renewDeliveries([lease, stale, unknown], NOW + 2 * LEASE_MS)).toEqual([stale.id, unknown.id]);
      expect(await claim(delivery.origin, NOW + 2 * LEASE_MS - 1)).toEqual([]);
      expect(await claim(delivery.origin, NOW + 2 * LEASE_MS)).toHaveLength(1);
    });

    test('given back makes the delivery due at once, and a stale one gives nothing back', async () => {
      const { storage } = workbench();
      const { delivery } = await addWaitingRun();
      const lease = await claimOne(delivery.origin);
      await storage.releaseDeliveries([{ id: lease.id, epoch: lease.epoch - 1 }], NOW + 5);
      expect(await claim(delivery.origin, NOW + 5)).toEqual([]);
      await storage.releaseDeliveries([lease], NOW + 5);
      expect(await statusOf(delivery.id)).toBe('queued');
      expect(await claim(delivery.origin, NOW + 4)).toEqual([]);
      expect(await storage.recordAttempt(lease, attemptOf(1, answered(200)), DELIVERED, null)).toBe('stale');
      expect(await claim(delivery.origin, NOW + 5)).toHaveLength(1);
    });
  });

  describe('listDueOrigins', () => {
    test('names each origin with open deliveries once, and when its next one is due', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const sink = await addSink();
      const [busy, idle, over] = [newOrigin(), newOrigin(), newOrigin()];
      const mine = async () => (await storage.listDueOrigins()).filter(({ origin }) => [busy, idle, over].includes(origin));
      for (const [origin, at] of [
        [busy, 60],
        [busy, 50],
        [idle, 10],
        [over, 0],
      ] as const) {
        const { lease } = await addClaimedRun(sink);
        await storage.advanceRun(lease, waitingFor(newDelivery(lease.runId, 0, { origin }), { at: NOW + at }));
      }
      await storage.recordAttempt(await claimOne(over), attemptOf(1, answered(200)), DELIVERED, null);
      await claimOne(idle, NOW + 10);
      expect(await mine()).toEqual(
        [
          { origin: busy, dueAt: NOW + 50 },
          { origin: idle, dueAt: NOW + 10 + LEASE_MS },
        ].sort((one, two) => (one.origin < two.origin ? -1 : 1)),
      );
    });
  });

  describe('recovery at start', () => {
    test('makes every delivery being sent due at once, and leaves the others', async () => {
      const { storage } = workbench();
      const sending = (await addWaitingRun()).delivery;
      const lease = await claimOne(sending.origin);
      const later = (await addWaitingRun({ retry: { ...NO_RETRY, maxRetries: 1 } })).delivery;
      const next = { status: 'queued', dueAt: NOW + 9000 } as const;
      await storage.recordAttempt(await claimOne(later.origin), attemptOf(1, answered(500)), next, null);
      const over = (await addWaitingRun({ isAwaited: false })).delivery;
      await storage.recordAttempt(await claimOne(over.origin), attemptOf(1, answered(500)), FAILED, null);
      await storage.recoverRuns(NOW + 5);
      expect([await statusOf(sending.id), await statusOf(later.id), await statusOf(over.id)]).toEqual(['queued', 'queued', 'failed']);
      expect(await storage.recordAttempt(lease, attemptOf(1, answered(200)), DELIVERED, null)).toBe('stale');
      expect(await claim(sending.origin, NOW + 5)).toHaveLength(1);
      expect(await claim(later.origin, NOW + 8999)).toEqual([]);
      expect(await claim(later.origin, NOW + 9000)).toHaveLength(1);
    });
  });

  describe('listDeliveries', () => {
    test('is newest first, by app, sink, run and status, page by page', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const made: { id: string; appId: string; sinkId: string; runId: string; status: string }[] = [];
      for (let run = 0; run < 3; run += 1) {
        const { id: sinkId, appId } = await addSink();
        const { lease } = await addClaimedRun({ ...(await addSink({ appId, id: sinkId })) });
        const deliveries = [0, 1].map((no) => newDelivery(lease.runId, no, { origin: newOrigin(), isAwaited: false }));
        await storage.advanceRun(lease, runningTurn({ deliveries }));
        for (const { id, origin } of deliveries) {
          const isFailed = id.endsWith('_1');
          if (isFailed) await storage.recordAttempt(await claimOne(origin), attemptOf(1, answered(400)), FAILED, null);
          made.unshift({ id, appId, sinkId, runId: lease.runId, status: isFailed ? 'failed' : 'queued' });
        }
      }
      const [{ appId, sinkId, runId }] = made.slice(2) as [(typeof made)[number]];
      const ids = async (filter: object, limit = 1000): Promise<string[]> =>
        (await storage.listDeliveries({ ...filter, limit })).map(({ id }) => id).filter((id) => made.some((one) => one.id === id));
      const wanted = (keep: (one: (typeof made)[number]) => boolean): string[] => made.filter(keep).map(({ id }) => id);
      expect(await ids({})).toEqual(wanted(() => true));
      expect(await ids({}, 2)).toEqual(wanted(() => true).slice(0, 2));
      expect(await ids({ appId })).toEqual(wanted((one) => one.appId === appId));
      expect(await ids({ sinkId })).toEqual(wanted((one) => one.sinkId === sinkId));
      expect(await ids({ runId })).toEqual(wanted((one) => one.runId === runId));
      expect(await ids({ status: 'failed' })).toEqual(wanted(({ status }) => status === 'failed'));
      expect(await ids({ appId, status: 'failed' })).toEqual(wanted((one) => one.appId === appId && one.status === 'failed'));
      expect(await ids({ sinkId, appId, runId, status: 'queued' })).toEqual(
        wanted((one) => one.runId === runId && one.status === 'queued'),
      );
      expect(await ids({ sinkId, appId: 'another' })).toEqual([]);
      expect(await ids({ runId: 'run_none' })).toEqual([]);
      const paged: string[] = [];
      for (let before: number | undefined; ; ) {
        const [one] = await storage.listDeliveries({ appId, limit: 1, ...(before === undefined ? {} : { before }) });
        if (one === undefined) break;
        paged.push(one.id);
        before = one.position;
      }
      expect(paged).toEqual(wanted((one) => one.appId === appId));
    });

    test.each(['dlv_none_0', 'x', '', 'run_x', `dlv_${'0'.repeat(31)}_0`])('knows no delivery by the id "%s"', async (id) => {
      expect(await workbench().storage.getDelivery(id)).toBeNull();
    });
  });
}
