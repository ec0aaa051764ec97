// Visits of steps as rows, and objects as columns of JSON.

import type { StepRecord } from '../../runs/run-records.ts';
import { given, table } from '../table.ts';

export const stepRecords = table<StepRecord>('step_records').columns({
  run_id: given<number>(),
  step: ({ step }) => step,
  visit: ({ visit }) => visit,
  type: ({ type }) => type,
  status: ({ status }) => status,
  attempt: ({ attempt }) => attempt,
  outputs: ({ outputs }) => outputs,
  chosen: ({ chosen }) => jsonOf(chosen),
  error: ({ error }) => jsonOf(error),
  started_at: ({ startedAt }) => startedAt,
  finished_at: ({ finishedAt }) => finishedAt,
  due_at: ({ dueAt }) => dueAt,
  back_to: ({ backTo }) => jsonOf(backTo),
  awaits: ({ awaits }) => awaits,
});

export function jsonOf(value: object | null): string | null {
  return value === null ? null : JSON.stringify(value);
}
