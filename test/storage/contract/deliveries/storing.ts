// Storage contract: deliveries are stored with the turn that creates them.

import { describe, expect, test } from 'vitest';
import { deliveryIdOf } from '../../../../src/core/delivery/delivery-id.ts';
import type { HttpMessage, OutboundMessage } from '../../../../src/core/delivery/outbound.ts';
import { LEASE_MS } from '../../../../src/leases/lease.ts';
import type { Lease, Turn } from '../../../../src/storage/runs/run-records.ts';
import { afterTurns, NOW, runningTurn, step, type Workbench } from '../workbench.ts';
import {
  answered,
  attemptOf,
  bytesOf,
  createDeliveryBench,
  DELIVERED,
  MESSAGE,
  newDelivery,
  newOrigin,
  waitingFor,
} from './delivery-bench.ts';

export function storingDeliveriesContract(workbench: () => Workbench): void {
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

    test('of the request is handed out with the stored body, which counts towards the limit of a claim', async () => {
      const { storage, addSink, newRun } = workbench();
      const origin = newOrigin();
      const bodies = [Buffer.from('{ "a": 1.0 }'), Buffer.alloc(20_000, 'x'), Buffer.alloc(0)];
      const ids: string[] = [];
      const message: OutboundMessage = { ...(MESSAGE as HttpMessage), body: [{ request: true, size: 0 }] };
      for (const body of bodies) {
        const run = newRun(await addSink(), { body });
        const delivery = newDelivery(run.runId, 0, { origin, message });
        ids.push(delivery.id);
        await storage.createRun({ ...run, turn: { ...run.turn, status: 'waiting', wakeAt: null, deliveries: [delivery] } });
      }
      const bodyOf = (of: OutboundMessage | undefined): Buffer[] =>
        ((of as HttpMessage).body as Uint8Array[]).map((part) => Buffer.from(part));
      for (const [index, id] of ids.entries()) expect(bodyOf((await storage.getDelivery(id))?.message)).toEqual([bodies[index]]);
      const first = await storage.claimDeliveries([{ origin, limit: 3, maxBytes: 1000 }]);
      expect(first.flatMap((claimed) => bodyOf(claimed.message))).toEqual(bodies.slice(0, 2));
      const rest = await storage.claimDeliveries([{ origin, limit: 3, maxBytes: 1000 }]);
      expect(rest.flatMap((claimed) => bodyOf(claimed.message))).toEqual(bodies.slice(2));
    });

    test('is stored with a later turn too, under a lease of its writer when it has one', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const { lease } = await addClaimedRun(await addSink());
      const origin = newOrigin();
      const held = newDelivery(lease.runId, 0, { origin, isLeased: true });
      const left = newDelivery(lease.runId, 1, { origin });
      expect(await storage.advanceRun(lease, runningTurn({ deliveries: [held, left] }))).toBe(true);
      expect([await statusOf(held.id), await statusOf(left.id)]).toEqual(['sending', 'queued']);
      expect((await claim(origin, NOW + LEASE_MS - 1)).map(({ id }) => id)).toEqual([left.id]);
      // The writer's lease is the first one.
      expect(await storage.recordAttempt({ id: held.id, epoch: 1 }, attemptOf(1, answered(200)), DELIVERED, null)).toBe('recorded');
    });

    test('is not stored with a turn that is refused', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const { lease: outdated } = await addClaimedRun(await addSink());
      await storage.advanceRun(outdated, runningTurn({ steps: [step('done')] }));
      await storage.advanceRun(afterTurns(outdated), runningTurn({}));
      const lease = afterTurns(outdated, 2);
      const delivery = newDelivery(lease.runId, 0);
      const refused: [Lease, Partial<Turn>][] = [
        [{ ...lease, epoch: lease.epoch + 1 }, {}],
        [outdated, {}],
        [lease, { steps: [step('done')] }],
        [lease, { memory: [{ key: 'k', version: 7, next: 8, value: '1' }] }],
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
}
