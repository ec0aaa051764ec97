// A turn of a run: the execution goes as far as it can, and what a bug does to it is contained.

import type { RunError } from '../core/run.ts';
import type { Logger } from '../logger.ts';
import type { Lease, RunChange } from '../storage/storage.ts';
import type { Execution, PlannedSend } from './execution.ts';

/** How long a run that goes on may be left alone before somebody else takes it up. */
export const LEASE_MS = 15_000;

/** A run that this process advances. */
export interface ActiveRun {
  lease: Lease;
  appId: string;
  sinkId: string;
  createdAt: number;
  execution: Execution;
  /** Aborted when the run has ended, was lost to another owner, or is given back. */
  stop: AbortController;
}

const INTERNAL: RunError = { code: 'internal', message: 'an internal error ended the run' };

/** A step type that throws is a bug: the run fails, the reason is logged, and the caller reads no internals. */
export function advanceSafely(execution: Execution, runId: string, now: number, logger: Logger): PlannedSend[] {
  try {
    return execution.advance(now);
  } catch (error) {
    failUnexpectedly(execution, { run_id: runId }, error, logger);
    return [];
  }
}

export function failUnexpectedly(execution: Execution, fields: { run_id: string; step?: string }, error: unknown, logger: Logger): void {
  logger.error({ err: error, ...fields }, 'a step failed unexpectedly');
  execution.abort(INTERNAL);
}

/** The one log line of a run. */
export function logRunEnd(logger: Logger, run: Pick<ActiveRun, 'appId' | 'sinkId' | 'createdAt'>, runId: string, change: RunChange): void {
  const { appId, sinkId, createdAt } = run;
  const fields = { run_id: runId, app_id: appId, sink_id: sinkId, status: change.status, duration_ms: change.at - createdAt };
  if (change.error === null) logger.info(fields, 'run ended');
  else logger.info({ ...fields, error_code: change.error.code, step: change.error.step }, 'run ended');
}
