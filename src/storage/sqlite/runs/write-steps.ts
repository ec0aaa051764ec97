// Stores visits of steps in SQLite. A visit that has ended is never written again.

import type { Database } from 'better-sqlite3';
import type { Packed } from '../table.ts';
import { unpackVisits } from './run-columns.ts';
import { stepRecords } from './step-columns.ts';

export interface StepWriter {
  /** Whether one of these visits has ended in an earlier commit of the run. `firstSteps` is that column of the run. */
  hasEnded(runNumber: number, firstSteps: string | null, steps: readonly Packed<typeof stepRecords>[]): boolean;
  store(runNumber: number, steps: readonly Packed<typeof stepRecords>[]): void;
}

export function createStepWriter(database: Database): StepWriter {
  const upsertStep = stepRecords.upsert(database, { key: ['run_id', 'step', 'visit'], keeps: ['type'] });
  const isStepEnded = database
    .prepare(
      "SELECT EXISTS (SELECT 1 FROM step_records WHERE run_id = ? AND step = ? AND visit = ? AND status IN ('completed', 'skipped', 'failed'))",
    )
    .pluck();

  return {
    hasEnded(runNumber, firstSteps, steps) {
      const first = unpackVisits(firstSteps);
      return steps.some((record) => {
        const [name, number] = [stepRecords.read(record, 'step'), stepRecords.read(record, 'visit')];
        return first.some(({ step, visit }) => step === name && visit === number) || isStepEnded.get(runNumber, name, number) === 1;
      });
    },
    store(runNumber, steps) {
      for (const record of steps) upsertStep({ run_id: runNumber }, record);
    },
  };
}
