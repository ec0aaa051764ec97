// A turn of a run: the execution goes as far as it can, and what a bug does to it is contained. What it read and wrote of
// its sink's memory, and the leases on its deliveries, hold from here on unless the turn is not stored.

import type { Clock } from '../clock.ts';
import type { FileHandle } from '../core/run/request.ts';
import type { RunError } from '../core/run/run.ts';
import type { DeliveryQueue } from '../delivery/queue/delivery-queue.ts';
import { LEASE_MS } from '../leases/lease.ts';
import type { Logger } from '../logger.ts';
import type { Lease, RunChange } from '../storage/run-records.ts';
import type { Execution } from './execution/execution.ts';
import type { LocalEffect } from './execution/execution-start.ts';
import type { Program } from './execution/program.ts';
import { LargeRun } from './large/large-runs.ts';
import type { StepMemory } from './step-memory.ts';

/** A run that this process advances. */
export class ActiveRun {
  readonly lease: Lease;
  readonly appId: string;
  readonly sinkId: string;
  readonly createdAt: number;
  readonly execution: Execution | LargeRun;
  /** The files that its request brought: no step may look at others. */
  readonly files: readonly FileHandle[];
  /** No more turns may be taken here: the run is over, was lost to another owner, or is given back. */
  isStopped = false;
  /** The turn under way: turns of one run follow one another. */
  turn: Promise<unknown> = Promise.resolve();
  /** What is being done for it in this process, and the deliveries held here that it waits for. */
  effects = 0;
  awaited = 0;
  /** Stored of it, in bytes. */
  readonly bytes: number;
  /** What it has taken of the memory for runs. */
  weight = 0;

  constructor(
    lease: Lease,
    { appId, sinkId, createdAt, bytes }: RunOwner & { bytes: number },
    execution: Execution | LargeRun,
    files: readonly FileHandle[],
  ) {
    this.lease = lease;
    this.appId = appId;
    this.sinkId = sinkId;
    this.createdAt = createdAt;
    this.bytes = bytes;
    this.execution = execution;
    this.files = files;
  }

  /** Nothing is done for it in this process any more. */
  get isIdle(): boolean {
    return this.effects + this.awaited === 0;
  }
}

export interface RunOwner {
  appId: string;
  sinkId: string;
  createdAt: number;
}

export interface PlannedTurn {
  change: RunChange;
  effects: LocalEffect[];
}

export interface Turns {
  /** A promise only for a large run, and where something that the steps remember must be loaded first. */
  plan(runId: string, sinkId: string, execution: Execution | LargeRun): PlannedTurn | Promise<PlannedTurn>;
  /** The turn was not stored. */
  discard(sinkId: string, change: RunChange): void;
}

export const INTERNAL: RunError = { code: 'internal', message: 'an internal error ended the run' };

export function createTurns(options: { memory: StepMemory; queue: DeliveryQueue; clock: Clock; logger: Logger }): Turns {
  const { memory, queue, clock, logger } = options;

  function finish(sinkId: string, execution: Execution, effects: LocalEffect[]): PlannedTurn {
    const now = clock();
    return applyOptimistically(sinkId, { change: execution.takeChange(now + LEASE_MS, now), effects });
  }

  function applyOptimistically(sinkId: string, { change, effects }: PlannedTurn): PlannedTurn {
    if (change.memory.length > 0) memory.applyOptimistically(sinkId, change.memory);
    if (change.deliveries.length > 0) change.deliveries = queue.reserve(change.deliveries);
    return { change, effects };
  }

  async function planWithMemory(runId: string, sinkId: string, execution: Execution, effects: LocalEffect[], keys: readonly string[]) {
    for (let wanted = keys; wanted.length > 0; wanted = execution.takeWantedKeys()) {
      await memory.load(sinkId, wanted);
      effects.push(...advanceSafely(execution, runId, clock(), logger));
    }
    return finish(sinkId, execution, effects);
  }

  async function planLarge(runId: string, sinkId: string, run: LargeRun): Promise<PlannedTurn> {
    const now = clock();
    const { change, effects, bug } = await run.plan(now, now + LEASE_MS, memory);
    if (bug !== null) logger.error({ err: bug, run_id: runId }, 'a step failed unexpectedly');
    return applyOptimistically(sinkId, { change, effects });
  }

  return {
    plan(runId, sinkId, execution) {
      if (execution instanceof LargeRun) return planLarge(runId, sinkId, execution);
      const effects = advanceSafely(execution, runId, clock(), logger);
      const keys = execution.takeWantedKeys();
      return keys.length === 0 ? finish(sinkId, execution, effects) : planWithMemory(runId, sinkId, execution, effects, keys);
    },
    discard(sinkId, change) {
      memory.forget(sinkId, change.memory);
      queue.cancelReservation(change.deliveries);
    },
  };
}

/** A step type that throws is a bug: the run fails, the reason is logged, and the caller reads no internals. */
function advanceSafely(execution: Execution, runId: string, now: number, logger: Logger): LocalEffect[] {
  try {
    return execution.advance(now);
  } catch (error) {
    failUnexpectedly(execution, { run_id: runId }, error, logger);
    return [];
  }
}

export function failUnexpectedly(execution: Program, fields: { run_id: string; step?: string }, error: unknown, logger: Logger): void {
  logger.error({ err: error, ...fields }, 'a step failed unexpectedly');
  execution.abort(INTERNAL);
}

/** The one log line of a run. */
export function logRunEnd(logger: Logger, run: RunOwner, runId: string, change: RunChange): void {
  const { appId, sinkId, createdAt } = run;
  const fields = { run_id: runId, app_id: appId, sink_id: sinkId, status: change.status, duration_ms: change.at - createdAt };
  if (change.error === null) logger.info(fields, 'run ended');
  else logger.info({ ...fields, error_code: change.error.code, step: change.error.step }, 'run ended');
}
