// Counts what has not ended. A storage in memory has no bytes on disk.

import type { DeliveryStatus } from '../../../src/core/delivery/delivery.ts';
import type { RunStatus } from '../../../src/core/run/run.ts';
import type { StoredLoad } from '../../../src/storage/load-store.ts';
import { LOAD_COUNT_LIMIT } from '../../../src/storage/load-store.ts';
import type { State } from './state.ts';

export function measureLoad({ openRuns, deliveries }: State): StoredLoad {
  const runsIn = (status: RunStatus): number => boundedCount([...openRuns].filter((run) => run.status === status));
  const deliveriesIn = (status: DeliveryStatus): number =>
    boundedCount([...deliveries.values()].filter((delivery) => delivery.status === status));
  const queued = [...openRuns].filter(({ status }) => status === 'queued').sort((a, b) => a.runNumber - b.runNumber);
  return {
    runs: { queued: runsIn('queued'), running: runsIn('running'), waiting: runsIn('waiting') },
    deliveries: { queued: deliveriesIn('queued'), sending: deliveriesIn('sending'), failed: deliveriesIn('failed') },
    oldestQueuedAt: queued[0]?.createdAt ?? null,
    databaseBytes: 0,
    logBytes: 0,
  };
}

function boundedCount(rows: readonly unknown[]): number {
  return Math.min(rows.length, LOAD_COUNT_LIMIT);
}
