// Storage contract: owners. Each opening is a new one, and what it leased is recovered once it is dead.

import { describe, expect, test } from 'vitest';
import { LEASE_MS } from '../../../../src/leases/lease.ts';
import { createDeliveryBench, newDelivery, newOrigin } from '../deliveries/delivery-bench.ts';
import { NOW, type Owners, runningTurn, upTo, type Workbench } from '../workbench.ts';

const SLOTS = 64;

export function ownersContract({ one, other, open }: Owners): void {
  const statusOf = async (runId: string): Promise<string | undefined> => (await one().storage.getRun(runId))?.status;

  /** A running run of an owner, with a delivery that the owner is sending. */
  async function addBusyRun(owner: Workbench): Promise<{ runId: string; deliveryId: string }> {
    const { lease } = await owner.addClaimedRun(await owner.addSink());
    const delivery = newDelivery(lease.runId, 0, { origin: newOrigin() });
    await owner.storage.advanceRun(lease, runningTurn({ deliveries: [delivery] }));
    await createDeliveryBench(() => owner).claimOne(delivery.origin);
    return { runId: lease.runId, deliveryId: delivery.id };
  }

  async function statesOf({ runId, deliveryId }: { runId: string; deliveryId: string }): Promise<unknown> {
    return [await statusOf(runId), (await one().storage.getDelivery(deliveryId))?.status];
  }

  describe('an owner', () => {
    test('is fresh at each opening, even after the last one has been closed', async () => {
      const seen = new Set([one().node.owner, other().node.owner]);
      for (let opening = 1; opening <= 5; opening += 1) {
        const { storage, node } = await open();
        seen.add(node.owner);
        if (opening % 2 === 0) await storage.close();
      }
      expect(seen.size).toBe(7);
    });

    test('has a slot of its own among those that live', async () => {
      const nodes = [one().node, other().node, ...(await Promise.all([open(), open(), open()])).map(({ node }) => node)];
      expect(new Set(nodes.map(({ slot }) => slot)).size).toBe(5);
      for (const { slot } of nodes) expect([Number.isInteger(slot), slot >= 0, slot < SLOTS]).toEqual([true, true, true]);
    });

    test('leaves its slot to a later one', async () => {
      const slots = new Set<number>();
      for (let opening = 0; opening < SLOTS + 6; opening += 1) {
        const { storage, node } = await open();
        slots.add(node.slot);
        await storage.close();
        await other().storage.reapOwners();
      }
      expect(Math.max(...slots)).toBeLessThan(SLOTS);
    });

    test('has the time of the storage, as the others have', async () => {
      for (const ms of [NOW, NOW + 5000]) {
        one().at(ms);
        expect([one(), other(), await open()].map(({ node }) => node.time.clock())).toEqual([ms, ms, ms]);
      }
    });

    test('refuses everything once it is closed, and the others go on', async () => {
      const { storage, addRun, addSink } = await open();
      const { runId } = await addRun(await addSink());
      let settled = 0;
      for (const call of [storage.getRun(runId), storage.ping(), storage.cancelRun(runId), storage.listRuns({ limit: 10 })])
        void call.then(() => (settled += 1));
      await storage.close();
      expect(settled).toBe(4);
      await expect(storage.getRun(runId)).rejects.toThrow('closed');
      await expect(storage.claimDueRuns(upTo(1))).rejects.toThrow('closed');
      await expect(storage.cancelRun(runId)).rejects.toThrow('closed');
      await storage.close();
      expect(await one().storage.getRun(runId)).toMatchObject({ status: 'cancelled' });
    });

    test('reads at once what another one has stored', async () => {
      const { runId } = await one().addRun(await one().addSink());
      expect(await other().storage.getRun(runId)).toEqual(await one().storage.getRun(runId));
      await other().storage.cancelRun(runId);
      expect(await one().storage.readEvents(runId, 0)).toMatchObject({ ended: true });
    });
  });

  describe('recoverRuns', () => {
    test('releases what the owner leased, and nothing of others', async () => {
      const [mine, others] = [await addBusyRun(one()), await addBusyRun(other())];
      expect(await other().storage.recoverRuns(one().node.owner)).toEqual({ recovered: 1, poisoned: [] });
      expect(await statesOf(mine)).toEqual(['queued', 'queued']);
      expect(await statesOf(others)).toEqual(['running', 'sending']);
    });

    test('releases what the owner created, under its first lease', async () => {
      const run = one().newRun(await one().addSink());
      const origin = newOrigin();
      const delivery = newDelivery(run.runId, 0, { origin, isLeased: true });
      await one().storage.createRun({ ...run, turn: { ...run.turn, status: 'running', wakeAt: null, deliveries: [delivery] } });
      expect(await other().storage.recoverRuns(other().node.owner)).toEqual({ recovered: 0, poisoned: [] });
      expect(await statesOf({ runId: run.runId, deliveryId: delivery.id })).toEqual(['running', 'sending']);
      expect(await other().storage.recoverRuns(one().node.owner)).toEqual({ recovered: 1, poisoned: [] });
      expect(await statesOf({ runId: run.runId, deliveryId: delivery.id })).toEqual(['queued', 'queued']);
    });

    test('leaves a run that another owner has claimed since', async () => {
      const { lease } = await one().addClaimedRun(await one().addSink());
      expect(
        await other()
          .at(NOW + LEASE_MS)
          .claimDueRuns(upTo(10)),
      ).toMatchObject([{ lease: { runId: lease.runId } }]);
      expect(await other().storage.recoverRuns(one().node.owner)).toEqual({ recovered: 0, poisoned: [] });
      expect(await statusOf(lease.runId)).toBe('running');
      expect(await one().storage.recoverRuns(other().node.owner)).toEqual({ recovered: 1, poisoned: [] });
    });

    test('counts the deaths of different owners together', async () => {
      const { runId } = await one().addRun(await one().addSink());
      for (const owner of [one(), other(), await open()]) {
        expect(await owner.at(NOW).claimDueRuns(upTo(10))).toMatchObject([{ lease: { runId } }]);
        const isLast = owner !== one() && owner !== other();
        const recovered = isLast ? { recovered: 0, poisoned: [runId] } : { recovered: 1, poisoned: [] };
        expect(await one().storage.recoverRuns(owner.node.owner)).toEqual(recovered);
      }
      expect(await one().storage.getRun(runId)).toMatchObject({ status: 'failed', error: { code: 'poisoned' } });
    });

    test('knows nothing of an owner that never was', async () => {
      const busy = await addBusyRun(one());
      expect(await one().storage.recoverRuns(Number.MAX_SAFE_INTEGER)).toEqual({ recovered: 0, poisoned: [] });
      expect(await statesOf(busy)).toEqual(['running', 'sending']);
    });
  });

  describe('reapOwners', () => {
    test('leaves live owners alone', async () => {
      const busy = [await addBusyRun(one()), await addBusyRun(other()), await addBusyRun(await open())];
      expect(await one().storage.reapOwners()).toEqual({ recovered: 0, poisoned: [] });
      for (const each of busy) expect(await statesOf(each)).toEqual(['running', 'sending']);
    });

    test('recovers the runs of those that are dead, once, and makes them due at once', async () => {
      const [first, second] = [await open(), await open()];
      const busy = [await addBusyRun(first), await addBusyRun(second)];
      const mine = await addBusyRun(other());
      await first.storage.close();
      await second.storage.close();
      expect(
        await other()
          .at(NOW + 7)
          .reapOwners(),
      ).toEqual({ recovered: 2, poisoned: [] });
      for (const each of busy) expect(await statesOf(each)).toEqual(['queued', 'queued']);
      expect(await statesOf(mine)).toEqual(['running', 'sending']);
      expect(await other().storage.reapOwners()).toEqual({ recovered: 0, poisoned: [] });
      expect(
        await one()
          .at(NOW + 6)
          .claimDueRuns(upTo(10)),
      ).toEqual([]);
      const due = await one()
        .at(NOW + 7)
        .claimDueRuns(upTo(10));
      expect(due.map(({ lease }) => lease.runId).sort()).toEqual(busy.map(({ runId }) => runId).sort());
    });

    test('counts a death, and sets a run aside at the third', async () => {
      const { runId } = await one().addRun(await one().addSink());
      for (const death of [1, 2, 3]) {
        const dying = await open();
        expect(await dying.at(NOW).claimDueRuns(upTo(10))).toMatchObject([{ lease: { runId }, isAlone: death === 3 }]);
        await dying.storage.close();
        expect(await one().storage.reapOwners()).toEqual(death < 3 ? { recovered: 1, poisoned: [] } : { recovered: 0, poisoned: [runId] });
      }
      expect(await one().storage.getRun(runId)).toMatchObject({ status: 'failed', error: { code: 'poisoned' } });
    });
  });
}
