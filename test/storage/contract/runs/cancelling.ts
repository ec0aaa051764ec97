// Storage contract: cancelled runs.

import { describe, expect, test } from 'vitest';
import { isEnd } from '../../../../src/core/run/run-event.ts';
import { completedTurn, NOW, type Workbench } from '../workbench.ts';

export function cancellingRunsContract(workbench: () => Workbench): void {
  const at: Workbench['at'] = (ms) => workbench().at(ms);

  describe('cancelRun', () => {
    test('ends a waiting run with one error event, and it is never due again', async () => {
      const { storage, addSink, addRun } = workbench();
      const { runId } = await addRun(await addSink());
      const result = await at(NOW + 3).cancelRun(runId);
      expect(result).toMatchObject({ cancelled: true, events: [{ seq: 2 }] });
      expect(await storage.readEvents(runId, 1)).toMatchObject({ ended: true, events: result?.events });
      expect(await storage.getRun(runId)).toMatchObject({
        status: 'cancelled',
        finishedAt: NOW + 3,
        error: { code: 'cancelled' },
        output: null,
      });
      expect(await storage.nextWake()).toBeNull();
    });

    test('leaves a run that has ended as it is, cancelled ones included', async () => {
      const { storage, addSink, addRun } = workbench();
      const sink = await addSink();
      const { runId } = await addRun(sink, { turn: completedTurn(2) });
      expect(await at(NOW).cancelRun(runId)).toEqual({ cancelled: false, events: [] });
      expect((await storage.getRun(runId))?.status).toBe('completed');
      const other = await addRun(sink);
      await at(NOW).cancelRun(other.runId);
      expect(await at(NOW + 1).cancelRun(other.runId)).toEqual({ cancelled: false, events: [] });
      expect((await storage.readEvents(other.runId, 0))?.events).toHaveLength(2);
    });

    test.each(['cancelled first', 'completed first'])('racing with the end of the run leaves one ending: %s', async (order) => {
      const { storage, addSink, addClaimedRun } = workbench();
      const { lease } = await addClaimedRun(await addSink());
      const cancel = () => at(NOW).cancelRun(lease.runId);
      const complete = () => storage.advanceRun(lease, completedTurn(2));
      const isCancelledFirst = order === 'cancelled first';
      const [first, second] = await Promise.all(isCancelledFirst ? [cancel(), complete()] : [complete(), cancel()]);
      expect(first).toEqual(isCancelledFirst ? expect.objectContaining({ cancelled: true }) : true);
      expect(second).toEqual(isCancelledFirst ? false : { cancelled: false, events: [] });
      const { events = [] } = (await storage.readEvents(lease.runId, 0)) ?? {};
      expect(events.filter(isEnd)).toHaveLength(1);
      expect((await storage.getRun(lease.runId))?.status).toBe(isCancelledFirst ? 'cancelled' : 'completed');
    });
  });
}
