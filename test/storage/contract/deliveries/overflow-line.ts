// Deliveries that are subject to one overflow policy together, for the storage contract.

import { expect } from 'vitest';
import type { OverflowGroup } from '../../../../src/core/delivery/overflow.ts';
import type { NewDelivery } from '../../../../src/storage/delivery-records.ts';
import { completedTurn, NOW, type Workbench } from '../workbench.ts';
import { newDelivery, newOrigin, waitingFor } from './delivery-bench.ts';

export interface Line {
  origin: string;
  /** Stores a delivery, of a run of its own; nobody waits for it unless that is said. */
  add(fields?: Partial<NewDelivery>, now?: number): Promise<NewDelivery & { runId: string }>;
}

/** Of a test's own. */
export const latest = (): OverflowGroup => ({ policy: 'latest_wins', group: newOrigin() });

export function createLine(workbench: () => Workbench, overflow: OverflowGroup, origin = newOrigin()): Line {
  return {
    origin,
    async add(fields = {}, now = NOW) {
      const { at, addSink, newRun } = workbench();
      const run = newRun(await addSink());
      const delivery = newDelivery(run.runId, 0, { origin, overflow, isAwaited: false, ...fields });
      const turn = delivery.isAwaited
        ? waitingFor(delivery, { at: now, lastSeq: 1 })
        : completedTurn(1, { deliveries: [delivery], at: now });
      expect(await at(now).createRun({ ...run, createdAt: now, turn })).toMatchObject({ kind: 'created' });
      return { ...delivery, runId: run.runId };
    },
  };
}
