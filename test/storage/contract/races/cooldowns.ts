// Storage contract: two owners change the step memory of a sink at once. One of them has read the latest version.

import { describe, expect, test } from 'vitest';
import type { MemoryUse } from '../../../../src/storage/runs/run-records.ts';
import { completedTurn, NOW, type Owners, upTo } from '../workbench.ts';
import { race } from './race.ts';

export function cooldownRacesContract(owners: Owners): void {
  const use = (key: string, version: number, value: string): MemoryUse => ({ key, version, next: version + 1, value });

  describe('step memory that two owners change at the same moment', () => {
    test.each([
      ['from nothing', 0],
      ['from a stored version', 3],
    ])('is changed by one of their new runs, %s', async (_how, version) => {
      const sink = await owners.one().addSink();
      await race(owners, async (first, second, round) => {
        const key = `cooldown ${version} ${round}`;
        for (let stored = 0; stored < version; stored += 1)
          await first.addRun(sink, { turn: completedTurn(1, { memory: [use(key, stored, '"old"')] }) });
        const [mine, theirs] = [first, second].map((owner, index) =>
          owner.newRun(sink, { turn: completedTurn(1, { memory: [use(key, version, String(index))] }) }),
        ) as [ReturnType<typeof first.newRun>, ReturnType<typeof first.newRun>];
        const results = await Promise.all([first.storage.createRun(mine), second.storage.createRun(theirs)]);
        expect(results.map(({ kind }) => kind).sort()).toEqual(['created', 'memory_changed']);
        const value = String(results.findIndex(({ kind }) => kind === 'created'));
        expect(await second.storage.readMemory(sink.id, [key])).toEqual([{ key, version: version + 1, value }]);
      });
    });

    test('is changed by one of their turns, and the other run is due, to be planned again', async () => {
      const sink = await owners.one().addSink();
      await race(owners, async (first, second, round) => {
        const key = `turn ${round}`;
        const mine = await first.addClaimedRun(sink);
        const theirs = await second.addClaimedRun(sink);
        const results = await Promise.all([
          first.storage.advanceRun(mine.lease, completedTurn(2, { memory: [use(key, 0, '0')] })),
          second.storage.advanceRun(theirs.lease, completedTurn(2, { memory: [use(key, 0, '1')] })),
        ]);
        expect(results.filter(Boolean)).toHaveLength(1);
        expect(await first.storage.readMemory(sink.id, [key])).toEqual([{ key, version: 1, value: String(results.indexOf(true)) }]);
        const loser = results[0] ? theirs : mine;
        expect(await first.at(NOW).claimDueRuns(upTo(10))).toMatchObject([{ lease: { runId: loser.lease.runId } }]);
        await first.storage.cancelRun(loser.lease.runId);
      });
    });
  });
}
