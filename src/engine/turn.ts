// Plans a turn of a run: advances the execution as far as it can go, and contains bugs of step types. The turn's writes
// to the sink's memory and the reservations of its deliveries are in effect until the turn is stored or discarded.

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
  /** The files of its request: steps may read no others. */
  readonly files: readonly FileHandle[];
  /** No further turns here: the run is over, released, or another owner has it. */
  isStopped = false;
  /** The turn in progress: turns of one run follow one another. */
  turn: Promise<unknown> = Promise.resolve();
  /** Effects of it in progress in this process, and leased deliveries that it waits for. */
  effects = 0;
  awaited = 0;
  /** Its stored size. */
  readonly bytes: number;
  /** Its share of the memory for runs, in bytes. */
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

  /** It has nothing in progress in this process. */
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
  /** Returns a promise only for a large run, and where remembered values must be loaded first. */
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

/** A step type that throws is a bug: the run fails and the error is logged. The caller sees no internals. */
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

/** Writes the one log line of a run. */
export function logRunEnd(logger: Logger, run: RunOwner, runId: string, change: RunChange): void {
  const { appId, sinkId, createdAt } = run;
  const fields = { run_id: runId, app_id: appId, sink_id: sinkId, status: change.status, duration_ms: change.at - createdAt };
  if (change.error === null) logger.info(fields, 'run ended');
  else logger.info({ ...fields, error_code: change.error.code, step: change.error.step }, 'run ended');
}
