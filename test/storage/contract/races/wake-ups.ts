// Storage contract: a delivery ends, or a reply comes, while another owner lets the run wait for it. The run is woken in any case.

import { describe, expect, test } from 'vitest';
import type { ClaimedDelivery } from '../../../../src/storage/delivery-records.ts';
import type { Lease } from '../../../../src/storage/runs/run-records.ts';
import { answered, attemptOf, createDeliveryBench, DELIVERED, newDelivery, newOrigin, waitingStep } from '../deliveries/delivery-bench.ts';
import { afterTurns, completedTurn, NOW, type Owners, runningTurn, step, upTo, type Workbench } from '../workbench.ts';
import { race } from './race.ts';

export function wakeUpRacesContract(owners: Owners): void {
  /** A running run of one owner, whose delivery the other one is sending. */
  async function addShared(runner: Workbench, sender: Workbench): Promise<{ lease: Lease; claimed: ClaimedDelivery }> {
    const { lease } = await runner.addClaimedRun(await runner.addSink());
    const delivery = newDelivery(lease.runId, 0, { origin: newOrigin() });
    await runner.storage.advanceRun(lease, runningTurn({ steps: [waitingStep('s0')], deliveries: [delivery] }));
    return { lease: afterTurns(lease), claimed: await createDeliveryBench(() => sender).claimOne(delivery.origin) };
  }

  const toWait = runningTurn({ status: 'waiting', wakeAt: null, steps: [step('other')] });
  const record = ({ storage }: Workbench, claimed: ClaimedDelivery) =>
    storage.recordAttempt(claimed, attemptOf(1, answered(200)), DELIVERED, null);

  async function expectWoken(workbench: Workbench, { runId }: Lease): Promise<void> {
    const [woken, ...others] = await workbench.at(NOW).claimDueRuns(upTo(10));
    expect(others).toEqual([]);
    expect(woken).toMatchObject({ lease: { runId }, results: [{ step: 's0', result: answered(200) }] });
    await workbench.storage.cancelRun(runId);
  }

  describe('the end of a delivery that is awaited', () => {
    test('wakes the run that begins to wait at the same moment', async () => {
      await race(owners, async (runner, sender, round) => {
        const { lease, claimed } = await addShared(runner, sender);
        const advance = () => runner.storage.advanceRun(lease, toWait);
        const [isAdvanced, recorded] =
          round % 4 < 2
            ? await Promise.all([advance(), record(sender, claimed)])
            : (await Promise.all([record(sender, claimed), advance()])).toReversed();
        expect([isAdvanced, recorded]).toEqual([true, 'recorded']);
        await expectWoken(sender, lease);
      });
    });

    test('wakes a run that waits for two which end at the same moment, and brings both', async () => {
      await race(owners, async (first, second) => {
        const { lease } = await first.addClaimedRun(await first.addSink());
        const deliveries = [0, 1].map((no) => newDelivery(lease.runId, no, { origin: newOrigin() }));
        const steps = [waitingStep('s0'), waitingStep('s1')];
        await first.storage.advanceRun(lease, runningTurn({ status: 'waiting', wakeAt: null, steps, deliveries }));
        const origins = deliveries.map(({ origin }) => origin) as [string, string];
        const mine = await createDeliveryBench(() => first).claimOne(origins[0]);
        const theirs = await createDeliveryBench(() => second).claimOne(origins[1]);
        expect(await Promise.all([record(first, mine), record(second, theirs)])).toEqual(['recorded', 'recorded']);
        const [woken] = await second.at(NOW).claimDueRuns(upTo(10));
        expect(woken?.results.map((result) => result.step).sort()).toEqual(['s0', 's1']);
        await first.storage.cancelRun(lease.runId);
      });
    });

    test('wakes the run that begins to wait for a reply at the same moment', async () => {
      await race(owners, async (runner, other) => {
        const { lease } = await runner.addClaimedRun(await runner.addSink());
        const awaiting = step('decision', { status: 'waiting', outputs: null, finishedAt: null, dueAt: NOW + 60_000, awaits: 'reply_0_1' });
        const [isAdvanced, ...stored] = await Promise.all([
          runner.storage.advanceRun(lease, runningTurn({ status: 'waiting', wakeAt: NOW + 60_000, steps: [awaiting] })),
          other.storage.storeReply({ runId: lease.runId, replyId: 'reply_0_1', choice: 'yes', body: null }),
          runner.storage.storeReply({ runId: lease.runId, replyId: 'reply_0_1', choice: 'no', body: null }),
        ]);
        expect([isAdvanced, stored.filter(({ kind }) => kind === 'stored')]).toEqual([true, [{ kind: 'stored' }]]);
        const choice = stored[0]?.kind === 'stored' ? 'yes' : 'no';
        const [woken] = await other.at(NOW).claimDueRuns(upTo(10));
        expect(woken).toMatchObject({
          lease: { runId: lease.runId },
          results: [{ step: 'decision', result: { kind: 'replied', choice } }],
        });
        await other.storage.cancelRun(lease.runId);
      });
    });

    test('and the end of the run at the same moment leave one end of each', async () => {
      await race(owners, async (runner, sender) => {
        const { lease, claimed } = await addShared(runner, sender);
        const [cancelled, recorded] = await Promise.all([runner.storage.cancelRun(lease.runId), record(sender, claimed)]);
        expect(cancelled).toMatchObject({ cancelled: true });
        expect(['recorded', 'stale']).toContain(recorded);
        const status = recorded === 'recorded' ? 'delivered' : 'cancelled';
        expect(await runner.storage.getDelivery(claimed.id)).toMatchObject({ status, attempts: 1 });
        expect(await sender.storage.claimDueRuns(upTo(10))).toEqual([]);
      });
    });

    test('and the cancelling of the run with its turn at the same moment leave one end of the run', async () => {
      await race(owners, async (canceller, sender) => {
        const { lease, claimed } = await addShared(sender, sender);
        const waitingRun = { lease, turn: completedTurn(2) };
        const [cancelled, recorded] = await Promise.all([
          canceller.storage.cancelRun(lease.runId),
          sender.storage.recordAttempt(claimed, attemptOf(1, answered(200)), DELIVERED, waitingRun),
        ]);
        expect([cancelled?.cancelled, recorded]).toEqual(recorded === 'recorded' ? [false, 'recorded'] : [true, 'stale']);
        expect((await sender.storage.readEvents(lease.runId, 0))?.events).toHaveLength(2);
      });
    });
  });
}
