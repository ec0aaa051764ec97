// Plans a turn of a run: advances its program as far as it can go, and contains bugs. The turn's writes to the sink's
// memory and the reservations of its deliveries are in effect until the turn is stored or discarded.

import type { Clock } from '../clock.ts';
import type { FileHandle } from '../core/run/request.ts';
import type { RunError } from '../core/run/run.ts';
import type { DeliveryQueue } from '../delivery/queue/delivery-queue.ts';
import { AppError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { Lease, Turn } from '../storage/runs/run-records.ts';
import type { LocalEffect, Program } from './execution/program.ts';
import type { StepMemory } from './step-memory.ts';

/** A run that this process advances. */
export class ActiveRun {
  readonly lease: Lease;
  readonly appId: string;
  readonly sinkId: string;
  readonly createdAt: number;
  readonly program: Program;
  /** The files of its request: steps may read no others. */
  readonly files: readonly FileHandle[];
  /** No further turns here: the run is over, released, or another owner has it. */
  isStopped = false;
  /** The turn in progress: turns of one run follow one another. */
  turn: Promise<unknown> = Promise.resolve();
  /** Its effects in progress in this process, and the leased deliveries that it waits for. */
  effects = 0;
  awaited = 0;
  /** Its stored size, in bytes. */
  readonly bytes: number;
  /** Its end may start other runs of its sink. */
  readonly hasFlow: boolean;
  /** Its share of the memory for runs, in bytes. */
  weight = 0;

  constructor(
    lease: Lease,
    { appId, sinkId, createdAt, bytes, hasFlow }: RunOwner & { bytes: number; hasFlow: boolean },
    program: Program,
    files: readonly FileHandle[],
  ) {
    this.lease = lease;
    this.appId = appId;
    this.sinkId = sinkId;
    this.createdAt = createdAt;
    this.bytes = bytes;
    this.hasFlow = hasFlow;
    this.program = program;
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
  turn: Turn;
  effects: LocalEffect[];
}

export interface TurnsOptions {
  memory: StepMemory;
  queue: DeliveryQueue;
  clock: Clock;
  logger: Logger;
}

const INTERNAL: RunError = { code: 'internal', message: 'an internal error ended the run' };

export class Turns {
  readonly #options: TurnsOptions;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /** Returns a promise only if the program does, or if remembered values must be loaded first. */
  plan(runId: string, sinkId: string, program: Program): PlannedTurn | Promise<PlannedTurn> {
    const effects = this.#advance(runId, program);
    if (effects instanceof Promise) return this.#planLater(runId, sinkId, program, effects);
    const keys = program.takeWantedKeys();
    return keys.length === 0 ? this.#finish(sinkId, program, effects) : this.#planWithMemory(runId, sinkId, program, effects, keys);
  }

  /** The turn was not stored. */
  discard(sinkId: string, turn: Turn): void {
    this.#options.memory.forget(sinkId, turn.memory);
    this.#options.queue.cancelReservation(turn.deliveries);
  }

  /** An error of a program is a bug: the run fails and the error is logged. The caller sees no internals. */
  #advance(runId: string, program: Program): LocalEffect[] | Promise<LocalEffect[]> {
    const { clock, logger } = this.#options;
    try {
      const effects = program.advance(clock());
      return effects instanceof Promise ? effects.catch((error: unknown) => this.#advanceAfter(error, runId, program)) : effects;
    } catch (error) {
      failUnexpectedly(program, { run_id: runId }, error, logger);
      return program.advance(clock());
    }
  }

  #advanceAfter(error: unknown, runId: string, program: Program): LocalEffect[] | Promise<LocalEffect[]> {
    if (error instanceof AppError) throw error;
    failUnexpectedly(program, { run_id: runId }, error, this.#options.logger);
    return program.advance(this.#options.clock());
  }

  async #planLater(runId: string, sinkId: string, program: Program, advancing: Promise<LocalEffect[]>): Promise<PlannedTurn> {
    const effects = await advancing;
    return await this.#planWithMemory(runId, sinkId, program, effects, program.takeWantedKeys());
  }

  async #planWithMemory(runId: string, sinkId: string, program: Program, effects: LocalEffect[], keys: readonly string[]) {
    for (let wanted = keys; wanted.length > 0; wanted = program.takeWantedKeys()) {
      await this.#options.memory.load(sinkId, wanted);
      const further = this.#advance(runId, program);
      effects.push(...(further instanceof Promise ? await further : further));
    }
    return this.#finish(sinkId, program, effects);
  }

  #finish(sinkId: string, program: Program, effects: LocalEffect[]): PlannedTurn {
    const { memory, queue, clock } = this.#options;
    const now = clock();
    const turn = program.takeTurn(now);
    if (turn.memory.length > 0) memory.applyOptimistically(sinkId, turn.memory);
    if (turn.deliveries.length > 0) turn.deliveries = queue.reserve(turn.deliveries);
    return { turn, effects };
  }
}

export function failUnexpectedly(program: Program, fields: { run_id: string; step?: string }, error: unknown, logger: Logger): void {
  logger.error({ err: error, ...fields }, 'a step failed unexpectedly');
  program.abort(INTERNAL);
}

/** Writes the one log line of a run. */
export function logRunEnd(logger: Logger, run: RunOwner, runId: string, turn: Turn): void {
  const { appId, sinkId, createdAt } = run;
  const fields = { run_id: runId, app_id: appId, sink_id: sinkId, status: turn.status, duration_ms: turn.at - createdAt };
  if (turn.error === null) logger.info(fields, 'run ended');
  else logger.info({ ...fields, error_code: turn.error.code, step: turn.error.step }, 'run ended');
}

/** Ids of the leased deliveries that the run waits for. */
export function awaitedHere({ deliveries }: Turn): string[] {
  const ids: string[] = [];
  for (const { id, isAwaited, isLeased } of deliveries) if (isAwaited && isLeased) ids.push(id);
  return ids;
}
