// Storage contract: runs whose owner has died are due again, until the third death.

import { describe, expect, test } from 'vitest';
import { isEnd } from '../../../../src/core/run/run-event.ts';
import { completedTurn, NOW, runningTurn, upTo, type Workbench } from '../workbench.ts';

export function recoveringRunsContract(workbench: () => Workbench): void {
  const at: Workbench['at'] = (ms) => workbench().at(ms);
  const recover: Workbench['recover'] = (ms) => workbench().recover(ms);
  const claimedIds = async (ms: number, limit = 1000): Promise<string[]> =>
    (await at(ms).claimDueRuns(upTo(limit))).map(({ lease }) => lease.runId);

  describe('recoverRuns', () => {
    test('makes every running run due at once, and leaves those that wait or have ended', async () => {
      const { storage, addSink, addRun, addClaimedRun } = workbench();
      const sink = await addSink();
      const one = await addClaimedRun(sink);
      const two = await addClaimedRun(sink);
      const waiting = await addRun(sink, { turn: { wakeAt: NOW + 60_000 } });
      const ended = await addRun(sink, { turn: completedTurn(1) });
      expect(await recover(NOW + 1)).toEqual({ recovered: 2, poisoned: [] });
      expect((await claimedIds(NOW + 1)).sort()).toEqual([one.lease.runId, two.lease.runId].sort());
      expect((await storage.getRun(waiting.runId))?.status).toBe('waiting');
      expect((await storage.getRun(ended.runId))?.status).toBe('completed');
    });

    test('sets a run aside at the third death, tells of it, and ends its stream; it can no longer be claimed', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const { lease } = await addClaimedRun(await addSink());
      for (const ms of [1, 2]) {
        expect(await recover(NOW + ms)).toEqual({ recovered: 1, poisoned: [] });
        expect(await claimedIds(NOW + ms)).toEqual([lease.runId]);
      }
      expect(await recover(NOW + 3)).toEqual({ recovered: 0, poisoned: [lease.runId] });
      expect(await claimedIds(NOW + 3)).toEqual([]);
      expect(await storage.getRun(lease.runId)).toMatchObject({ status: 'failed', error: { code: 'poisoned' }, finishedAt: NOW + 3 });
      expect((await storage.readEvents(lease.runId, 0))?.events.filter(isEnd)).toHaveLength(1);
      expect(await recover(NOW + 4)).toEqual({ recovered: 0, poisoned: [] });
    });

    test('counts anew for a run that has gone on, and counts none that was given back', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const { lease } = await addClaimedRun(await addSink());
      for (const ms of [1, 2, 3, 4]) {
        expect((await recover(NOW + ms)).poisoned).toEqual([]);
        const [claimed] = await at(NOW + ms).claimDueRuns(upTo(1));
        const turn = runningTurn({ status: 'waiting', lastSeq: ms + 1, wakeAt: NOW + ms + 1 });
        expect(await storage.advanceRun(claimed?.lease ?? lease, turn)).toBe(true);
        const [again] = await at(NOW + ms + 1).claimDueRuns(upTo(1));
        await at(NOW + ms + 1).releaseRun(again?.lease ?? lease, 0);
        await recover(NOW + ms + 1);
        expect(await claimedIds(NOW + ms + 1)).toEqual([lease.runId]);
      }
    });
  });
}
