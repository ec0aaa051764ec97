// Storage contract: replies. The first one is stored, wakes the run that waits for it, and is never lost.

import { describe, expect, test } from 'vitest';
import type { Reply } from '../../../../src/core/reply/reply.ts';
import type { NewReply } from '../../../../src/storage/reply-records.ts';
import type { StepRecord } from '../../../../src/storage/runs/run-records.ts';
import { afterTurns, completedTurn, NOW, progress, runningTurn, step, strangerOf, upTo, type Workbench } from '../workbench.ts';

const FIRST = 'reply_0_1';
const LIMIT = NOW + 60_000;

const waiting = (fields: Partial<StepRecord> = {}): StepRecord =>
  step('decision', { status: 'waiting', outputs: null, finishedAt: null, dueAt: LIMIT, awaits: FIRST, ...fields });
const waitingTurn = { status: 'waiting' as const, wakeAt: LIMIT, steps: [waiting()] };
const approve = (runId: string, fields: Partial<NewReply> = {}): NewReply => ({
  runId,
  replyId: FIRST,
  choice: 'approve',
  body: '{"id":12345678901234567890}',
  ...fields,
});
const replied = (at: number): Reply => ({ kind: 'replied', choice: 'approve', body: '{"id":12345678901234567890}', at });

export function repliesContract(workbench: () => Workbench): void {
  const at: Workbench['at'] = (ms) => workbench().at(ms);
  const claim = async (ms: number) => await at(ms).claimDueRuns(upTo(10));

  async function addWaiting(): Promise<string> {
    const { addSink, addRun } = workbench();
    return (await addRun(await addSink(), { turn: waitingTurn })).runId;
  }

  describe('storeReply', () => {
    test('makes the run due that waits for the reply, and the claim brings it', async () => {
      const runId = await addWaiting();
      expect(await claim(NOW + 1)).toEqual([]);
      expect(await at(NOW + 2).storeReply(approve(runId))).toEqual({ kind: 'stored' });
      expect(await at(NOW + 2).nextWake()).toBe(NOW + 2);
      const [claimed] = await claim(NOW + 3);
      expect(claimed).toMatchObject({
        lease: { runId },
        steps: [{ step: 'decision', awaits: FIRST, dueAt: LIMIT }],
        results: [{ step: 'decision', visit: 1, result: replied(NOW + 2) }],
      });
    });

    test('stores the first one only; the same one again is stored already', async () => {
      const runId = await addWaiting();
      const { storage } = workbench();
      await storage.storeReply(approve(runId));
      expect(await storage.storeReply(approve(runId))).toEqual({ kind: 'stored' });
      expect(await storage.storeReply(approve(runId, { body: null }))).toEqual({ kind: 'taken', choice: 'approve' });
      expect(await storage.storeReply(approve(runId, { choice: 'reject' }))).toEqual({ kind: 'taken', choice: 'approve' });
      expect((await claim(NOW))[0]?.results).toEqual([{ step: 'decision', visit: 1, result: replied(NOW) }]);
    });

    test('of another visit or step does not wake the run', async () => {
      const runId = await addWaiting();
      await at(NOW).storeReply(approve(runId, { replyId: 'reply_0_2' }));
      await at(NOW).storeReply(approve(runId, { replyId: 'reply_1_1' }));
      expect(await claim(NOW + 1)).toEqual([]);
    });

    test('before the run waits: the turn that begins the wait makes the run due', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const { lease } = await addClaimedRun(await addSink());
      await at(NOW + 1).storeReply(approve(lease.runId));
      expect(await storage.advanceRun(lease, runningTurn(waitingTurn))).toBe(true);
      expect((await claim(NOW + 2))[0]?.results).toEqual([{ step: 'decision', visit: 1, result: replied(NOW + 1) }]);
    });

    test('while another owner ends the wait in vain: that turn is refused, and the run is planned again with the reply', async () => {
      const { storage } = workbench();
      const runId = await addWaiting();
      const [claimed] = await claim(LIMIT);
      expect(claimed?.results).toEqual([]);
      await at(LIMIT + 1).storeReply(approve(runId));
      const lease = claimed?.lease ?? { runId, epoch: 0, turns: 0 };
      const inVain = completedTurn(2, { status: 'failed', steps: [waiting({ status: 'failed', finishedAt: LIMIT })] });
      expect(await storage.advanceRun(lease, inVain)).toBe(false);
      const [again] = await claim(LIMIT + 2);
      expect(again?.results).toEqual([{ step: 'decision', visit: 1, result: replied(LIMIT + 1) }]);
      const taken = completedTurn(2, { steps: [waiting({ status: 'completed', finishedAt: LIMIT, awaits: null })] });
      expect(await storage.advanceRun(again?.lease ?? lease, taken)).toBe(true);
    });

    test('after a wait in vain serves a later step that waits for it', async () => {
      const { storage } = workbench();
      const runId = await addWaiting();
      const lease = (await claim(LIMIT))[0]?.lease ?? { runId, epoch: 0, turns: 0 };
      const inVain = runningTurn({ steps: [waiting({ status: 'completed', finishedAt: LIMIT })], events: [progress(2, 50)], lastSeq: 2 });
      expect(await storage.advanceRun(lease, inVain)).toBe(true);
      await at(LIMIT + 1).storeReply(approve(runId));
      const later = { ...waitingTurn, lastSeq: 2, steps: [waiting({ step: 'reminded', dueAt: LIMIT + 9 })] };
      expect(await storage.advanceRun(afterTurns(lease), runningTurn(later))).toBe(true);
      expect((await claim(LIMIT + 2))[0]?.results).toEqual([{ step: 'reminded', visit: 1, result: replied(LIMIT + 1) }]);
    });

    test('to a run that has ended or never was: there is nothing to store', async () => {
      const { storage } = workbench();
      const runId = await addWaiting();
      expect(await storage.storeReply(approve(strangerOf(runId)))).toEqual({ kind: 'ended' });
      expect(await storage.storeReply(approve('run_none'))).toEqual({ kind: 'ended' });
      await storage.cancelRun(runId);
      expect(await storage.storeReply(approve(runId))).toEqual({ kind: 'ended' });
      expect(await storage.findReply(runId, FIRST)).toMatchObject({ isOver: true, choice: null });
    });

    test('stays what it was when the run has ended, until retention removes both', async () => {
      const { storage } = workbench();
      const runId = await addWaiting();
      await storage.storeReply(approve(runId));
      await storage.cancelRun(runId);
      expect(await storage.storeReply(approve(runId))).toEqual({ kind: 'stored' });
      expect(await storage.storeReply(approve(runId, { choice: 'reject' }))).toEqual({ kind: 'taken', choice: 'approve' });
      await storage.pruneRuns({ before: NOW + 100_000, maxBytes: null, limit: 1000 });
      expect(await storage.storeReply(approve(runId))).toEqual({ kind: 'ended' });
      expect(await storage.findReply(runId, FIRST)).toBeNull();
    });
  });

  describe('findReply', () => {
    test('returns the run, and the choice once there is one', async () => {
      const { storage, addSink, addRun } = workbench();
      const sink = await addSink();
      const workflow = { id: 'approval', version: 3 };
      const { runId } = await addRun(sink, { workflow, turn: waitingTurn });
      expect(await storage.findReply(runId, FIRST)).toEqual({ appId: sink.appId, workflow, isOver: false, choice: null });
      await storage.storeReply(approve(runId));
      expect(await storage.findReply(runId, FIRST)).toEqual({ appId: sink.appId, workflow, isOver: false, choice: 'approve' });
      expect(await storage.findReply(runId, 'reply_0_2')).toMatchObject({ choice: null });
      expect(await storage.findReply(strangerOf(runId), FIRST)).toBeNull();
      expect(await storage.findReply('run_none', FIRST)).toBeNull();
    });
  });
}
