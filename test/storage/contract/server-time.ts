// Storage contract: how far server time had come, and how the wall clock stood to it.

import { describe, expect, test } from 'vitest';
import { NOW, type Workbench } from './workbench.ts';

const YEAR = 366 * 86_400_000;
/** After every run of the other contracts. */
const LATER = NOW + YEAR;

export function serverTimeContract(workbench: () => Workbench): void {
  describe('server time', () => {
    test('is unknown at first, whatever runs there are; then what was noted last', async () => {
      const { storage, addSink, addRun } = workbench();
      await addRun(await addSink());
      expect(await storage.readServerTime()).toEqual({ seenAt: null, steps: [] });
      await storage.recordServerTime(LATER, []);
      await storage.recordServerTime(LATER + 5, [{ at: LATER + 3, aheadMs: -5000 }]);
      await storage.recordServerTime(LATER + 9, [{ at: LATER + 1, aheadMs: 1 }]);
      const steps = [
        { at: LATER + 1, aheadMs: 1 },
        { at: LATER + 3, aheadMs: -5000 },
      ];
      expect(await storage.readServerTime()).toEqual({ seenAt: LATER + 9, steps });
    });

    test('had come as far as the newest run, where that was stored after the last note', async () => {
      const { storage, addSink, addRun } = workbench();
      await storage.recordServerTime(LATER, []);
      await addRun(await addSink(), { createdAt: LATER + 20_000 });
      expect(await storage.readServerTime()).toMatchObject({ seenAt: LATER + 20_000 });
    });

    test('keeps the last thousand steps', async () => {
      const { storage } = workbench();
      const at = LATER + YEAR;
      await storage.recordServerTime(
        at,
        Array.from({ length: 1100 }, (_, index) => ({ at: at + index, aheadMs: index })),
      );
      const { steps } = await storage.readServerTime();
      expect(steps).toHaveLength(1000);
      expect(steps.at(-1)).toEqual({ at: at + 1099, aheadMs: 1099 });
    });
  });
}
