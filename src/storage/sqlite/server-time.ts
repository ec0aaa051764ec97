// Server time in SQLite: the latest recorded time, and the steps of the wall clock.

import type { Database } from 'better-sqlite3';
import { timeOfRunNumber } from '../../core/run/run-id.ts';
import type { ClockStep } from '../../core/run/server-time.ts';
import { given, table } from './table.ts';

export const clockSteps = table('clock_steps').columns({ at: given<number>(), ahead_ms: given<number>() });

/** Older steps are deleted: times before the oldest one kept are shown by that one. */
const MAX_STEPS = 1000;

/** The latest known server time, null before the first record; and the steps of the wall clock, oldest first. */
export interface RecordedTime {
  seenAt: number | null;
  steps: ClockStep[];
}

export function createServerTimeOperations(database: Database) {
  const selectSeenAt = database.prepare('SELECT seen_at FROM database_state').pluck();
  const selectNewestRun = database.prepare('SELECT max(id) FROM runs').pluck();
  const selectSteps = database.prepare('SELECT at, ahead_ms AS aheadMs FROM clock_steps ORDER BY at');
  const updateSeenAt = database.prepare('UPDATE database_state SET seen_at = ?');
  const upsertStep = clockSteps.upsert(database, { key: ['at'] });
  const deleteOldSteps = database.prepare(
    `DELETE FROM clock_steps WHERE at <= (SELECT at FROM clock_steps ORDER BY at DESC LIMIT 1 OFFSET ${MAX_STEPS})`,
  );

  return {
    readServerTime(): RecordedTime {
      const recorded = selectSeenAt.get() as number | null;
      const newest = selectNewestRun.get() as number | null;
      // After a crash the newest run may be later than the recorded time.
      const seenAt = recorded === null || newest === null ? recorded : Math.max(recorded, timeOfRunNumber(newest).ms);
      return { seenAt, steps: selectSteps.all() as ClockStep[] };
    },
    /** All or nothing. */
    recordServerTime(seenAt: number, steps: readonly ClockStep[]): void {
      updateSeenAt.run(seenAt);
      for (const { at, aheadMs } of steps) upsertStep({ at, ahead_ms: aheadMs });
      if (steps.length > 0) deleteOldSteps.run();
    },
  };
}
