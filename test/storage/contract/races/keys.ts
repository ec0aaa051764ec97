// Storage contract: two owners create runs with the same idempotency key or the same number at once.

import { describe, expect, test } from 'vitest';
import { completedTurn, NOW, type Owners, strangerOf } from '../workbench.ts';
import { race } from './race.ts';

export function keyRacesContract(owners: Owners): void {
  const HOUR = 3_600_000;

  describe('two owners that create runs at the same moment', () => {
    test('under the same idempotency key store one, and both name it', async () => {
      const sink = await owners.one().addSink();
      await race(owners, async (first, second, round) => {
        const idempotency = { key: `key ${round}`, fingerprint: 'f', keepMs: HOUR };
        const runs = [first, second].map((owner) => owner.newRun(sink, { idempotency, turn: completedTurn(1) }));
        const results = await Promise.all([first, second].map(({ storage }, index) => storage.createRun(runs[index] as (typeof runs)[0])));
        expect(results.map(({ kind }) => kind).sort()).toEqual(['created', 'duplicate']);
        const runId = runs[results.findIndex(({ kind }) => kind === 'created')]?.runId;
        expect(results.find(({ kind }) => kind === 'duplicate')).toEqual({ kind: 'duplicate', runId, sameRequest: true });
      });
    });

    test('under an expired key store one, and both name it', async () => {
      const sink = await owners.one().addSink();
      await race(owners, async (first, second, round) => {
        const idempotency = { key: `expired ${round}`, fingerprint: 'f', keepMs: 1000 };
        first.at(NOW);
        await first.addRun(sink, { idempotency, turn: completedTurn(1) });
        first.at(NOW + 1000);
        const runs = [first, second].map((owner) => owner.newRun(sink, { createdAt: NOW + 1000, idempotency, turn: completedTurn(1) }));
        const results = await Promise.all([first, second].map(({ storage }, index) => storage.createRun(runs[index] as (typeof runs)[0])));
        expect(results.map(({ kind }) => kind).sort()).toEqual(['created', 'duplicate']);
        const runId = runs[results.findIndex(({ kind }) => kind === 'created')]?.runId;
        expect(results.find(({ kind }) => kind === 'duplicate')).toEqual({ kind: 'duplicate', runId, sameRequest: true });
      });
    });

    test('under the same number store one, and the number of the other is taken', async () => {
      const sink = await owners.one().addSink();
      await race(owners, async (first, second) => {
        const mine = first.newRun(sink, { turn: completedTurn(1) });
        const theirs = { ...mine, runId: strangerOf(mine.runId) };
        const results = await Promise.all([first.storage.createRun(mine), second.storage.createRun(theirs)]);
        expect(results.map(({ kind }) => kind).sort()).toEqual(['created', 'id_taken']);
        const [winner, loser] = results[0]?.kind === 'created' ? [mine, theirs] : [theirs, mine];
        expect(await first.storage.getRun(winner.runId)).not.toBeNull();
        expect(await second.storage.getRun(loser.runId)).toBeNull();
      });
    });
  });
}
