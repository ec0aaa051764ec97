// Advances runs that are on disk, turn by turn: takes in what came of deliveries and local effects, and writes the next
// turn in one commit before anybody hears of it.

import type { Clock } from '../clock.ts';
import type { DeliveryState } from '../core/delivery/delivery.ts';
import type { FileHandle } from '../core/run/request.ts';
import { isTerminal } from '../core/run/run.ts';
import { runWeight } from '../core/run/run-weight.ts';
import type { Images, ImageWant } from '../core/uql/image.ts';
import { createInTurn } from '../core/values/in-turn.ts';
import type { DeliveryQueue } from '../delivery/queue/delivery-queue.ts';
import type { LeasedDelivery } from '../delivery/queue/leased-delivery.ts';
import { AppError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { MemoryAccount } from '../memory-budget.ts';
import type { FileRead, FileWrite, ReadResult, WriteResult } from '../steps/step-type.ts';
import type { AttemptRecord } from '../storage/delivery-records.ts';
import type { RunChange } from '../storage/run-records.ts';
import type { Storage } from '../storage/storage.ts';
import { eventsOf } from './change-events.ts';
import type { LocalEffect } from './execution/execution-start.ts';
import { LargeRun } from './large/large-runs.ts';
import type { RunFeed } from './run-feed.ts';
import { type ActiveRun, failUnexpectedly, logRunEnd, type PlannedTurn, type Turns } from './turn.ts';

/** What steps have done in this process. */
export interface LocalEffects {
  /** Of stored files only those that are named. */
  loadImages(wants: readonly ImageWant[], files: readonly FileHandle[]): Promise<Images>;
  writeFile(write: FileWrite): Promise<WriteResult>;
  /** Of stored files only those that are named. */
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
  /** Called when a run must be looked at again. */
  scheduleAt: (at: number) => void;
  /** Called with work that goes on in the background. */
  track: (work: Promise<unknown>) => void;
  isDraining: () => boolean;
}

export interface Worker {
  /** Runs that something is done for in this process, by run id. */
  readonly active: ReadonlyMap<string, ActiveRun>;
  /** Another owner has the run, or nobody any more: it takes no further turns here. */
  stop(runId: string): void;
  /** The turn is on disk: publishes its events, and does what it planned. */
  begin(run: ActiveRun, turn: PlannedTurn): void;
  /** Takes in results, goes as far as it can and stores that; false when the run was not ours any more. */
  advance(run: ActiveRun, apply: () => void): Promise<boolean>;
  /** Removes a run from memory once nothing is done for it here. */

  forget(run: ActiveRun): void;
  /** Makes a run due for the next claim. Never rejects: where it fails, the run is claimed once its lease is over. */
  release(run: ActiveRun): Promise<void>;
  /** Stores an attempt, and with the end of its delivery the turn of the run that waits. Never rejects. */
  record(delivery: LeasedDelivery, attempt: AttemptRecord, next: DeliveryState): Promise<void>;
}

const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 5000;

/** Ids of the deliveries that this process sends, and the run waits for. */
function awaitedHere({ deliveries }: RunChange): string[] {
  const ids: string[] = [];
  for (const { id, isAwaited, leaseUntil } of deliveries) if (isAwaited && leaseUntil !== null) ids.push(id);
  return ids;
}

export function createWorker(options: WorkerOptions): Worker {
  const { storage, turns, queue, localEffects, memory, feed, clock, logger, scheduleAt, track, isDraining } = options;
  const active = new Map<string, ActiveRun>();
  /** By the id of a delivery, the run in memory that waits for it. */
  const waiters = new Map<string, ActiveRun>();
  /** Of all runs one file is in memory, until its step has made of it what it will. */
  const readingInTurn = createInTurn();

  function begin(run: ActiveRun, { change, effects }: PlannedTurn): void {
    const { runId } = run.lease;
    feed.publish(runId, eventsOf(change));
    if (isTerminal(change.status)) {
      logRunEnd(logger, run, runId, change);
      run.isStopped = true;
      if (run.execution.awaited > 0) queue.abortRun(runId);
    } else if (change.wakeAt !== null) scheduleAt(change.wakeAt);
    // A large run makes room for others as soon as it only waits.
    const awaited = run.execution instanceof LargeRun ? [] : awaitedHere(change);
    const isInMemory = effects.length + awaited.length === 0 || reserveMemory(run);
    if (isInMemory) {
      run.effects += effects.length;
      run.awaited += awaited.length;
      for (const id of awaited) waiters.set(id, run);
    } else if (effects.length > 0) track(release(run));
    // A delivery sent elsewhere may have ended during this turn; storage then made the run due.
    if (change.status === 'waiting' && run.execution.awaited > run.awaited) scheduleAt(clock());
    if (!run.isIdle) active.set(runId, run);
    queue.enqueue(change.deliveries, runId, isInMemory && awaited.length > 0);
    if (isInMemory)
      for (const effect of effects) track(effect.plan.kind === 'read' ? readingInTurn(() => perform(run, effect)) : perform(run, effect));
  }

  /** False where there is no memory for it: the run goes on once it is claimed. */
  function reserveMemory(run: ActiveRun): boolean {
    const weight = runWeight(run.bytes);
    if (run.weight > 0) return true;
    if (!memory.take(weight)) return false;
    run.weight = weight;
    return true;
  }

  function stop(runId: string): void {
    const run = active.get(runId);
    if (run !== undefined) run.isStopped = true;
  }

  function forget(run: ActiveRun): void {
    const { runId } = run.lease;
    if (!run.isIdle) return;
    if (active.get(runId) === run) active.delete(runId);
    memory.give(run.weight);
    run.weight = 0;
    if (run.execution instanceof LargeRun) run.execution.dispose();
  }

  async function release(run: ActiveRun): Promise<void> {
    const { lease } = run;
    run.isStopped = true;
    if (run.execution instanceof LargeRun) run.execution.dispose();
    await storage.releaseRun(lease, clock()).catch((error: unknown) => {
      logger.warn({ err: error, run_id: lease.runId }, 'a run could not be released');
    });
    scheduleAt(clock());
  }

  async function perform(run: ActiveRun, { step, plan }: LocalEffect): Promise<void> {
    const { execution } = run;
    let apply: () => void;
    try {
      if (plan.kind === 'load') {
        const images = await localEffects.loadImages(plan.wants, run.files);
        apply = () => execution.giveImages(step, images);
      } else {
        const result = await (plan.kind === 'write' ? localEffects.writeFile(plan) : localEffects.readFile(plan, run.files));
        apply = () => execution.giveResult(step, result);
      }
    } catch (error) {
      apply = () => failUnexpectedly(execution, { run_id: run.lease.runId, step }, error, logger);
    }
    run.effects -= 1;
    await advance(run, apply);
    forget(run);
  }

  /** Turns of one run follow one another, so that each plans on what the one before it stored. */
  function takeTurn(run: ActiveRun, apply: () => void, write: (change: RunChange) => Promise<boolean>): Promise<boolean> {
    const turn = run.turn.then(async () => {
      const { lease, sinkId, execution } = run;
      if (run.isStopped) return false;
      try {
        apply();
      } catch (error) {
        failUnexpectedly(execution, { run_id: lease.runId }, error, logger);
      }
      const planned = await turns.plan(lease.runId, sinkId, execution);
      const isStored = await persist(lease.runId, () => write(planned.change));
      if (isStored) begin(run, planned);
      else {
        // Another owner has the run, or it was released to be planned anew.
        turns.discard(sinkId, planned.change);
        run.isStopped = true;
        scheduleAt(clock());
      }
      return isStored;
    });
    run.turn = turn.catch(() => {
      run.isStopped = true;
    });
    return turn;
  }

  const advance = (run: ActiveRun, apply: () => void): Promise<boolean> =>
    takeTurn(run, apply, (change) => storage.advanceRun(run.lease, change));

  async function record(delivery: LeasedDelivery, attempt: AttemptRecord, next: DeliveryState): Promise<void> {
    const run = delivery.hasWaiter ? (waiters.get(delivery.id) ?? null) : null;
    const { lease } = delivery;
    const isOver = next.dueAt === null;
    if (run !== null) {
      waiters.delete(delivery.id);
      run.awaited -= 1;
    }
    try {
      const isStored =
        isOver &&
        run !== null &&
        (await takeTurn(
          run,
          () => run.execution.giveResult(delivery.step, attempt.result),
          async (change) => (await storage.recordAttempt(lease, attempt, next, { lease: run.lease, change })) === 'recorded',
        ));
      if (isStored) return;
      const kept = await persist(delivery.runId, () => storage.recordAttempt(lease, attempt, next, null));
      if ((isOver || kept === 'dropped') && delivery.isAwaited) scheduleAt(clock());
    } catch (error) {
      // Its lease runs out, and the next start or claim repeats the attempt.
      logger.warn({ err: error, delivery_id: delivery.id }, 'an attempt could not be recorded');
    } finally {
      if (run !== null) forget(run);
    }
  }

  /** A locked or full database delays a run; it must not lose it. */
  async function persist<Result>(runId: string, write: () => Promise<Result>): Promise<Result> {
    for (let delayMs = FIRST_RETRY_MS; ; delayMs = Math.min(delayMs * 2, LAST_RETRY_MS)) {
      try {
        return await write();
      } catch (error) {
        if (!(error instanceof AppError) || isDraining()) throw error;
        logger.warn({ run_id: runId, reason: error.message }, 'a run waits for the database');
        await new Promise((resolve) => setTimeout(resolve, delayMs));
      }
    }
  }

  return { active, stop, begin, advance, forget, release, record };
}
