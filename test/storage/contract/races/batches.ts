// Storage contract: two owners write the same rows in opposite orders. Each write is done on its own, and none fails.

import { describe, expect, test } from 'vitest';
import { answered, attemptOf, createDeliveryBench, DELIVERED, newDelivery, newOrigin, waitingStep } from '../deliveries/delivery-bench.ts';
import { afterTurns, completedTurn, type Owners, runningTurn } from '../workbench.ts';
import { race } from './race.ts';

const ROWS = 10;
const indexes = Array.from({ length: ROWS }, (_, index) => index);

export function batchRacesContract(owners: Owners): void {
  describe('two owners that write the same rows in opposite orders', () => {
    test('change the step memory of a sink', async () => {
      const sink = await owners.one().addSink();
      await race(owners, async (first, second, round) => {
        const memory = indexes.map((index) => ({ key: `${round} ${index}`, version: 0, next: 1, value: '1' }));
        const runs = [memory, memory.toReversed()].flatMap((uses, owner) =>
          uses.map((use) => ({ owner, run: first.newRun(sink, { turn: completedTurn(1, { memory: [use] }) }) })),
        );
        const both = [memory, memory.toReversed()].map((uses, owner) => ({
          owner,
          run: first.newRun(sink, { turn: completedTurn(1, { memory: uses }) }),
        }));
        const results = await Promise.all(
          [...both, ...runs].map(({ owner, run }) => (owner === 0 ? first : second).storage.createRun(run)),
        );
        for (const { kind } of results) expect(['created', 'memory_changed']).toContain(kind);
        const stored = await first.storage.readMemory(
          sink.id,
          memory.map(({ key }) => key),
        );
        expect(stored.map(({ version }) => version)).toEqual(indexes.map(() => 1));
      });
    });

    test('advance and cancel runs', async () => {
      await race(owners, async (first, second) => {
        const sink = await first.addSink();
        const runs = await Promise.all(indexes.map(() => first.addRun(sink)));
        const claimed = await first.storage.claimDueRuns({ limit: ROWS, maxWeight: Number.POSITIVE_INFINITY, takesAlone: true });
        const leases = claimed.map(({ lease }) => lease).sort((a, b) => (a.runId < b.runId ? -1 : 1));
        expect(leases).toHaveLength(ROWS);
        const [advanced, cancelled] = await Promise.all([
          Promise.all(leases.map((lease) => first.storage.advanceRun(lease, completedTurn(2)))),
          Promise.all(leases.toReversed().map(({ runId }) => second.storage.cancelRun(runId))),
          first.storage.renewLeases(leases),
          second.storage.renewLeases(leases.toReversed()),
        ]);
        const isCancelled = cancelled.toReversed().map((result) => result?.cancelled);
        expect(isCancelled).toEqual(advanced.map((isStored) => !isStored));
        for (const { runId } of runs) expect((await first.storage.readEvents(runId, 0))?.events).toHaveLength(2);
      });
    });

    test('end the deliveries of a run, and the run', async () => {
      await race(owners, async (first, second) => {
        const origin = newOrigin();
        const { lease } = await first.addClaimedRun(await first.addSink());
        const deliveries = indexes.map((no) => newDelivery(lease.runId, no, { origin }));
        const steps = indexes.map((no) => waitingStep(`s${no}`));
        await first.storage.advanceRun(lease, runningTurn({ status: 'waiting', wakeAt: null, steps, deliveries }));
        const claimed = await createDeliveryBench(() => second).claim(origin);
        expect(claimed).toHaveLength(ROWS);
        const [recorded, cancelled] = await Promise.all([
          Promise.all(claimed.map((each) => second.storage.recordAttempt(each, attemptOf(1, answered(200)), DELIVERED, null))),
          first.storage.cancelRun(lease.runId),
          first.storage.renewDeliveries(claimed.toReversed()),
          first.storage.advanceRun(afterTurns(lease), runningTurn({ status: 'waiting', wakeAt: null })),
        ]);
        expect(cancelled).toMatchObject({ cancelled: true });
        const statuses = await Promise.all(claimed.map(async ({ id }) => (await first.storage.getDelivery(id))?.status));
        expect(statuses).toEqual(recorded.map((result) => (result === 'recorded' ? 'delivered' : 'cancelled')));
      });
    });

    test('release deliveries of one group, and retry them', async () => {
      const origin = newOrigin();
      const { lease } = await owners.one().addClaimedRun(await owners.one().addSink());
      const deliveries = indexes.map((no) => newDelivery(lease.runId, no, { origin, isAwaited: false }));
      await owners.one().storage.advanceRun(lease, runningTurn({ deliveries }));
      await race(owners, async (first, second) => {
        const claimed = await createDeliveryBench(() => first).claim(origin);
        expect(claimed).toHaveLength(ROWS);
        const ids = claimed.map(({ id }) => id);
        const results = await Promise.all([
          first.storage.releaseDeliveries(claimed),
          second.storage.releaseDeliveries(claimed.toReversed()),
          second.storage.retryDeliveries(ids.toReversed()),
          first.storage.retryDeliveries(ids),
        ]);
        expect(results).toEqual([undefined, undefined, [], []]);
      });
    });
  });
}
