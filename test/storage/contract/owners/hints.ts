// Storage contract: hints tell an owner of what another one has changed.

import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { NewRun } from '../../../../src/storage/runs/run-records.ts';
import type { Hint } from '../../../../src/storage/storage.ts';
import { onTestEnd } from '../../../support/cleanup.ts';
import { until } from '../../../support/until.ts';
import { answered, attemptOf, createDeliveryBench, DELIVERED, FAILED } from '../deliveries/delivery-bench.ts';
import { completedTurn, NOW, type Owners, progress, runningTurn, type Workbench } from '../workbench.ts';

export function hintsContract({ one, other }: Owners): void {
  const { addWaitingRun, claimOne } = createDeliveryBench(one);

  function watch({ storage }: Workbench): Hint[] {
    const hints: Hint[] = [];
    onTestEnd(storage.watch((hint) => void hints.push(hint)));
    return hints;
  }

  const seesEvents = (hints: readonly Hint[], runId: string): boolean =>
    hints.some((hint) => hint.kind === 'events' && hint.runIds.includes(runId));

  /** Waits for the hints of earlier changes, which may be late. */
  async function settle(from: Workbench, to: Workbench): Promise<void> {
    const hints = watch(to);
    const { runId } = await from.addRun(await from.addSink());
    await until('the hints of earlier changes', () => seesEvents(hints, runId));
  }

  /** Does something with a run as one owner. The other one gets a hint of its events, and the owner itself does not. */
  async function expectEvents(runId: string, change: () => Promise<unknown>): Promise<void> {
    await settle(one(), other());
    const [own, theirs] = [watch(one()), watch(other())];
    await change();
    await until('a hint of new events', () => seesEvents(theirs, runId));
    expect(seesEvents(own, runId)).toBe(false);
  }

  describe('a hint of events', () => {
    test('follows a new run', async () => {
      const run = one().newRun(await one().addSink());
      await expectEvents(run.runId, () => one().storage.createRun(run));
    });

    test('follows a turn', async () => {
      const { lease } = await one().addClaimedRun(await one().addSink());
      const turn = runningTurn({ progress: 50, events: [progress(2, 50)], lastSeq: 2 });
      await expectEvents(lease.runId, () => one().storage.advanceRun(lease, turn));
    });

    test('follows a turn that ends the run', async () => {
      const { lease } = await one().addClaimedRun(await one().addSink());
      await expectEvents(lease.runId, () => one().storage.advanceRun(lease, completedTurn(2)));
    });

    test('follows an attempt with a turn', async () => {
      const { delivery, run } = await addWaitingRun();
      const claimed = await claimOne(delivery.origin);
      const waitingRun = { lease: run.lease, turn: completedTurn(2) };
      await expectEvents(run.lease.runId, () => one().storage.recordAttempt(claimed, attemptOf(1, answered(200)), DELIVERED, waitingRun));
    });

    test('follows a cancelled run', async () => {
      const { runId } = await one().addRun(await one().addSink());
      await expectEvents(runId, () => one().storage.cancelRun(runId));
    });

    test('follows a run that a later run replaces before it starts', async () => {
      const flow = { maxConcurrent: 1, orderingKey: null, overflow: 'latest_wins' as const, queueLimit: 9, debounce: null };
      const sink = await one().addSink({ flow });
      const [first, replaced, newest] = [0, 1, 2].map(() => one().newRun(sink, { flowKey: '', turn: { status: 'queued', wakeAt: null } }));
      for (const run of [first, replaced]) await one().storage.createRun(run as NewRun);
      await expectEvents((replaced as NewRun).runId, () => one().storage.createRun(newest as NewRun));
    });

    test('follows a run that is poisoned', async () => {
      const { lease } = await one().addClaimedRun(await one().addSink());
      for (const ms of [1, 2]) {
        await one().recover(NOW + ms);
        await one().storage.claimDueRuns({ limit: 9, maxWeight: 1e9, takesAlone: true });
      }
      await expectEvents(lease.runId, () => one().recover(NOW + 3));
    });
  });

  describe('a hint of definitions', () => {
    test('follows an edit, with its version', async () => {
      const [own, theirs] = [watch(one()), watch(other())];
      const version = await one().edit({ kind: 'put_app', app: { id: 'hint', name: randomUUID() }, managedBy: 'api' });
      const isIt = (hint: Hint): boolean => hint.kind === 'definitions' && hint.version === version;
      await until('a hint of new definitions', () => theirs.some(isIt));
      expect(own.some(isIt)).toBe(false);
    });
  });

  describe('a hint that something is due', () => {
    const isDue = ({ kind }: Hint): boolean => kind === 'due';

    async function expectDue(change: () => Promise<unknown>): Promise<void> {
      await settle(one(), other());
      const theirs = watch(other());
      await change();
      await until('a hint that something is due', () => theirs.some(isDue));
    }

    test('follows a released run', async () => {
      const { lease } = await one().addClaimedRun(await one().addSink());
      await expectDue(() => one().storage.releaseRun(lease, 0));
    });

    test('follows released deliveries', async () => {
      const { delivery } = await addWaitingRun();
      const claimed = await claimOne(delivery.origin);
      await expectDue(() => one().storage.releaseDeliveries([claimed]));
    });

    test('follows retried deliveries', async () => {
      const { delivery } = await addWaitingRun({ isAwaited: false });
      await one().storage.recordAttempt(await claimOne(delivery.origin), attemptOf(1, answered(500)), FAILED, null);
      await expectDue(() => one().storage.retryDeliveries([delivery.id]));
    });

    test('follows an attempt that wakes the run that waits', async () => {
      const { delivery } = await addWaitingRun();
      const claimed = await claimOne(delivery.origin);
      await expectDue(() => one().storage.recordAttempt(claimed, attemptOf(1, answered(200)), DELIVERED, null));
    });

    test('follows a reply', async () => {
      const { lease } = await one().addClaimedRun(await one().addSink());
      await expectDue(() => one().storage.storeReply({ runId: lease.runId, replyId: 'reply_0_1', choice: 'yes', body: null }));
    });

    test('follows recovered runs', async () => {
      await one().addClaimedRun(await one().addSink());
      await expectDue(() => one().recover(NOW));
    });

    test('is not for the owner that made it due', async () => {
      await settle(other(), one());
      const [own, theirs] = [watch(one()), watch(other())];
      const { lease } = await one().addClaimedRun(await one().addSink());
      await one().storage.releaseRun(lease, 0);
      await until('the other one to have a hint', () => theirs.some(isDue));
      expect(own.filter(isDue)).toEqual([]);
    });
  });

  describe('watch', () => {
    test('serves several listeners, each until it is ended', async () => {
      const [ended, going]: [Hint[], Hint[]] = [[], []];
      const end = other().storage.watch((hint) => void ended.push(hint));
      onTestEnd(other().storage.watch((hint) => void going.push(hint)));
      const sink = await one().addSink();
      const { runId: first } = await one().addRun(sink);
      await until('both to have a hint', () => seesEvents(ended, first) && seesEvents(going, first));
      end();
      const { runId: second } = await one().addRun(sink);
      await until('one to have a hint', () => seesEvents(going, second));
      expect(seesEvents(ended, second)).toBe(false);
      end();
    });

    test('has nothing to tell of a write that changed nothing', async () => {
      const { lease } = await one().addClaimedRun(await one().addSink());
      const stale = { ...lease, epoch: lease.epoch + 1 };
      const theirs = watch(other());
      await one().storage.advanceRun(stale, completedTurn(2));
      const { runId: marker } = await one().addRun(await one().addSink());
      await until('a hint of a later change', () => seesEvents(theirs, marker));
      expect(seesEvents(theirs, lease.runId)).toBe(false);
    });
  });
}
