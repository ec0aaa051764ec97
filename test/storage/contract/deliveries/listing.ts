// Storage contract: pages of deliveries.

import { describe, expect, test } from 'vitest';
import { runningTurn, type Workbench } from '../workbench.ts';
import { answered, attemptOf, createDeliveryBench, FAILED, newDelivery, newOrigin } from './delivery-bench.ts';

export function listingDeliveriesContract(workbench: () => Workbench): void {
  const { claimOne } = createDeliveryBench(workbench);

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
