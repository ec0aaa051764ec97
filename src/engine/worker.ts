// Advances runs that are on disk, turn by turn: applies the results of deliveries and local effects, and stores the next
// turn in one commit before its events are published.

import type { Clock } from '../clock.ts';
import type { DeliveryState } from '../core/delivery/delivery.ts';
import { parseDeliveryId } from '../core/delivery/delivery-id.ts';
import type { FileHandle } from '../core/run/request.ts';
import { isTerminal } from '../core/run/run.ts';
import { runWeight } from '../core/run/run-weight.ts';
import type { Images, ImageWant } from '../core/uql/image.ts';
import { createSerialQueue } from '../core/values/serial-queue.ts';
import type { DeliveryQueue } from '../delivery/queue/delivery-queue.ts';
import type { LeasedDelivery } from '../delivery/queue/leased-delivery.ts';
import { AppError } from '../errors.ts';
import { LEASE_MS } from '../leases/lease.ts';
import type { Logger } from '../logger.ts';
import type { MemoryAccount } from '../memory-budget.ts';
import type { FileRead, FileWrite, ReadResult, WriteResult } from '../steps/step-type.ts';
import type { AttemptRecord } from '../storage/delivery-records.ts';
import type { Turn } from '../storage/runs/run-records.ts';
import type { Storage } from '../storage/storage.ts';
import type { LocalEffect } from './execution/program.ts';
import type { RunFeed } from './run-feed.ts';
import { type ActiveRun, awaitedHere, failUnexpectedly, logRunEnd, type PlannedTurn, type Turns } from './turn.ts';
import { eventsOf } from './turn-events.ts';

/** Effects of steps in this process. */
export interface LocalEffects {
  /** May read only these stored files. */
  loadImages(wants: readonly ImageWant[], files: readonly FileHandle[]): Promise<Images>;
  writeFile(write: FileWrite): Promise<WriteResult>;
  /** May read only these stored files. */
  readFile(read: FileRead, files: readonly FileHandle[]): Promise<ReadResult>;
}

export interface WorkerOptions {
  storage: Pick<Storage, 'advanceRun' | 'recordAttempt' | 'releaseRun'>;
  turns: Turns;
  queue: DeliveryQueue;
  localEffects: LocalEffects;
  memory: MemoryAccount;
  feed: RunFeed;
  clock: Clock;
  logger: Logger;
  /** Schedules the next claim of due runs. */
  scheduleAt: (at: number) => void;
  /** Registers background work. */
  track: (work: Promise<unknown>) => void;
  isDraining: () => boolean;
}

const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 5000;

export class Worker {
  readonly #options: WorkerOptions;
  readonly #active = new Map<string, ActiveRun>();
  /** By the id of a delivery, the run in memory that waits for it. */
  readonly #waiters = new Map<string, ActiveRun>();
  /** Files are read one at a time over all runs, until their step is done with them. */
  readonly #readSerially = createSerialQueue();

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  /** Runs in memory, by run id: each has an effect or a delivery in progress in this process. */
  get active(): ReadonlyMap<string, ActiveRun> {
    return this.#active;
  }

  /** The run takes no further turns here: it has ended, or another owner has it. */
  stop(runId: string): void {
    const run = this.#active.get(runId);
    if (run !== undefined) run.isStopped = true;
  }

  /** The turn is on disk: publishes its events, and starts its effects and deliveries. */
  begin(run: ActiveRun, { turn, effects }: PlannedTurn): void {
    const { feed, queue, scheduleAt, clock } = this.#options;
    const { runId } = run.lease;
    feed.publish(runId, eventsOf(turn), turn.steps);
    if (isTerminal(turn.status)) this.#end(run, turn);
    else if (turn.status === 'running') scheduleAt(clock() + LEASE_MS);
    else if (turn.wakeAt !== null) scheduleAt(turn.wakeAt);
    const awaited = run.program.leavesMemory === true ? [] : awaitedHere(turn);
    const isInMemory = this.#keepInMemory(run, effects, awaited);
    // A delivery sent elsewhere may have ended during this turn, or a reply come; storage then made the run due.
    if (turn.status === 'waiting' && run.program.awaited > run.awaited) scheduleAt(clock());
    if (!run.isIdle) this.#active.set(runId, run);
    queue.enqueue(turn.deliveries, { runId, hasWaiter: isInMemory && awaited.length > 0, leasedAt: turn.at });
    if (isInMemory) for (const effect of effects) this.#start(run, effect);
  }

  /** Applies results, then plans and stores the next turn. False when another owner has the run. */
  advance(run: ActiveRun, apply: () => void): Promise<boolean> {
    return this.#takeTurn(run, apply, (turn) => this.#options.storage.advanceRun(run.lease, turn));
  }

  /** Removes a run from memory once nothing is done for it here. */
  forget(run: ActiveRun): void {
    const { runId } = run.lease;
    if (!run.isIdle) return;
    if (this.#active.get(runId) === run) this.#active.delete(runId);
    this.#options.memory.release(run.weight);
    run.weight = 0;
    run.program.dispose?.();
  }

  /** Makes a run due for the next claim. Never rejects: if it fails, the run is claimed once its lease is over. */
  async release(run: ActiveRun): Promise<void> {
    const { storage, clock, logger, scheduleAt } = this.#options;
    const { lease } = run;
    run.isStopped = true;
    run.program.dispose?.();
    await storage.releaseRun(lease, 0).catch((error: unknown) => {
      logger.warn({ err: error, run_id: lease.runId }, 'a run could not be released');
    });
    scheduleAt(clock());
  }

  /** Stores an attempt, and with the end of its delivery the next turn of the run that waits. Never rejects. */
  async record(delivery: LeasedDelivery, attempt: AttemptRecord, next: DeliveryState): Promise<void> {
    const { storage, clock, logger, scheduleAt } = this.#options;
    const run = this.#takeWaiter(delivery);
    const isOver = next.dueAt === null;
    try {
      if (isOver && run !== null && (await this.#recordWithTurn(run, delivery, attempt, next))) return;
      const kept = await this.#persist(delivery.runId, () => storage.recordAttempt(delivery.lease, attempt, next, null));
      if ((isOver || kept === 'dropped') && delivery.isAwaited) scheduleAt(clock());
    } catch (error) {
      // Its lease ends, and the next start or claim repeats the attempt.
      logger.warn({ err: error, delivery_id: delivery.id }, 'an attempt could not be recorded');
    } finally {
      if (run !== null) this.forget(run);
    }
  }

  /** The delivery is sent elsewhere: the run goes on where its result is. */
  loseDelivery(delivery: LeasedDelivery): void {
    const run = this.#takeWaiter(delivery);
    if (run === null) return;
    run.isStopped = true;
    this.forget(run);
  }

  #takeWaiter({ id, hasWaiter }: LeasedDelivery): ActiveRun | null {
    const run = hasWaiter ? (this.#waiters.get(id) ?? null) : null;
    if (run === null) return null;
    this.#waiters.delete(id);
    run.awaited -= 1;
    return run;
  }

  /** Stores the attempt that ends the delivery, and the next turn of its run, in one commit. False if it is not stored so. */
  async #recordWithTurn(
    run: ActiveRun,
    { id, lease, step }: LeasedDelivery,
    attempt: AttemptRecord,
    next: DeliveryState,
  ): Promise<boolean> {
    try {
      return await this.#takeTurn(
        run,
        () => run.program.giveResult(step, parseDeliveryId(id)?.visit ?? 1, attempt.result),
        async (turn) => (await this.#options.storage.recordAttempt(lease, attempt, next, { lease: run.lease, turn })) === 'recorded',
      );
    } catch (error) {
      // The turn could not be planned: the attempt is stored without it, so that the message is not sent again.
      if (!(error instanceof AppError)) throw error;
      this.#options.logger.warn({ run_id: run.lease.runId, reason: error.message }, 'a run could not be advanced; it is claimed again');
      return false;
    }
  }

  #end(run: ActiveRun, turn: Turn): void {
    const { runId } = run.lease;
    logRunEnd(this.#options.logger, run, runId, turn);
    run.isStopped = true;
    if (run.hasFlow) this.#options.scheduleAt(this.#options.clock());
    if (run.program.awaited > 0) this.#options.queue.abortRun(runId);
  }

  /** False if there is no memory for the run: it continues once it is claimed. */
  #keepInMemory(run: ActiveRun, effects: readonly LocalEffect[], awaited: readonly string[]): boolean {
    if (effects.length + awaited.length > 0 && !this.#reserveMemory(run)) {
      if (effects.length > 0) this.#options.track(this.release(run));
      return false;
    }
    run.effects += effects.length;
    run.awaited += awaited.length;
    for (const id of awaited) this.#waiters.set(id, run);
    return true;
  }

  #reserveMemory(run: ActiveRun): boolean {
    if (run.weight > 0) return true;
    const weight = runWeight(run.bytes);
    if (this.#options.memory.tryReserve(weight)) run.weight = weight;
    return run.weight > 0;
  }

  #start(run: ActiveRun, effect: LocalEffect): void {
    const perform = (): Promise<void> => this.#perform(run, effect);
    this.#options.track(effect.plan.kind === 'read' ? this.#readSerially(perform) : perform());
  }

  async #perform(run: ActiveRun, { step, visit, plan }: LocalEffect): Promise<void> {
    const { localEffects, logger } = this.#options;
    const { program } = run;
    let apply: () => void;
    try {
      if (plan.kind === 'load') {
        const images = await localEffects.loadImages(plan.wants, run.files);
        apply = () => program.giveImages(step, visit, images);
      } else {
        const result = await (plan.kind === 'write' ? localEffects.writeFile(plan) : localEffects.readFile(plan, run.files));
        apply = () => program.giveResult(step, visit, result);
      }
    } catch (error) {
      apply = () => failUnexpectedly(program, { run_id: run.lease.runId, step }, error, logger);
    }
    run.effects -= 1;
    try {
      await this.advance(run, apply);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      logger.warn({ run_id: run.lease.runId, reason: error.message }, 'a run could not be advanced; it is claimed again');
      await this.release(run);
    } finally {
      this.forget(run);
    }
  }

  /** Turns of one run follow one another, so that each plans on what the one before it stored. */
  #takeTurn(run: ActiveRun, apply: () => void, write: (turn: Turn) => Promise<boolean>): Promise<boolean> {
    const turn = run.turn.then(() => this.#planAndStore(run, apply, write));
    run.turn = turn.catch(() => {
      run.isStopped = true;
    });
    return turn;
  }

  async #planAndStore(run: ActiveRun, apply: () => void, write: (turn: Turn) => Promise<boolean>): Promise<boolean> {
    const { turns, logger, scheduleAt, clock } = this.#options;
    const { lease, sinkId, program } = run;
    if (run.isStopped) return false;
    try {
      apply();
    } catch (error) {
      failUnexpectedly(program, { run_id: lease.runId }, error, logger);
    }
    const planned = await turns.plan(lease.runId, sinkId, program);
    const isStored = await this.#persist(lease.runId, () => write(planned.turn));
    if (isStored) {
      lease.turns += 1;
      this.begin(run, planned);
    } else {
      // Another owner has the run, or it was released to be planned again.
      turns.discard(sinkId, planned.turn);
      run.isStopped = true;
      scheduleAt(clock());
    }
    return isStored;
  }

  /** A locked or full database delays a run; it must not lose it. */
  async #persist<Result>(runId: string, write: () => Promise<Result>): Promise<Result> {
    for (let delayMs = FIRST_RETRY_MS; ; delayMs = Math.min(delayMs * 2, LAST_RETRY_MS)) {
      try {
        return await write();
      } catch (error) {
        if (!(error instanceof AppError) || this.#options.isDraining()) throw error;
        this.#options.logger.warn({ run_id: runId, reason: error.message }, 'a run waits for the database');
        await new Promise((resolve) => setTimeout(resolve, delayMs));
      }
    }
  }
}
