// Storage contract: the events of a run, and the position of its stream.

import { describe, expect, test } from 'vitest';
import type { ProgressEvent } from '../../../../src/core/run/run-event.ts';
import { afterTurns, completedTurn, progress, runningTurn, type Workbench } from '../workbench.ts';

export function eventsContract(workbench: () => Workbench): void {
  describe('readEvents', () => {
    test('gives exactly the events after each position, however the commits were cut', async () => {
      const { storage, addSink, addClaimedRun } = workbench();
      const sink = await addSink();
      const told = (seq: number): ProgressEvent =>
        progress(seq, seq * 10, [{}, { step: 'a' }, { message: 'line\n"2"' }, { step: 'b-2', message: '' }][seq % 4]);
      const { lease } = await addClaimedRun(sink, { turn: { events: [1, 2, 3].map(told), lastSeq: 3 } });
      const turn = (storedTurns: number, ...seqs: number[]) =>
        storage.advanceRun(afterTurns(lease, storedTurns), runningTurn({ events: seqs.map(told), lastSeq: seqs.at(-1) as number }));
      await turn(0, 4);
      await turn(1, 5, 6, 7);
      expect(await storage.readEvents(lease.runId, 7)).toEqual({ events: [], ended: false, sinkId: sink.id });
      expect(await storage.findStream(lease.runId)).toMatchObject({ lastSeq: 7, ended: false, sinkId: sink.id });
      await turn(2, 8, 9);
      await storage.advanceRun(afterTurns(lease, 3), completedTurn(10));
      expect(await storage.findStream(lease.runId)).toMatchObject({ lastSeq: 10, ended: true, sinkId: sink.id });
      for (let position = 0; position <= 11; position += 1) {
        const stored = await storage.readEvents(lease.runId, position);
        expect(stored?.ended).toBe(true);
        const expected = [
          ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map(told),
          { seq: 10, outcome: { status: 'completed', output: '{"ok":true}', error: null } },
        ];
        expect(stored?.events).toEqual(expected.filter(({ seq }) => seq > position));
      }
    });

    test.each([
      ['is not stored', 'run_01kyaa00000aaaaaaaaaaaaaaaaaaaa'],
      ['cannot be one', 'run_x'],
      ['is another run but for its random part', null],
    ])('knows no run by an id that %s', async (_what, id) => {
      const { storage, addSink, addRun } = workbench();
      const { runId } = await addRun(await addSink());
      const asked = id ?? `${runId.slice(0, -1)}${runId.endsWith('0') ? '1' : '0'}`;
      expect(await storage.readEvents(asked, 0)).toBeNull();
      expect(await storage.findStream(asked)).toBeNull();
      expect(await storage.getRun(asked)).toBeNull();
      expect(await storage.cancelRun(asked)).toBeNull();
    });
  });
}
