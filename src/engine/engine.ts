// The run engine: starts runs, advances them turn by turn, and takes up after a restart what was left undone.
// A turn is planned in memory, written in one commit, and only then told to anybody or sent anywhere.

import type { Clock } from '../clock.ts';
import { stringifyJson } from '../core/json/json.ts';
import type { RequestBody, RequestHead } from '../core/run/request.ts';
import { POISONED } from '../core/run/run-event.ts';
import { runWeight } from '../core/run/run-weight.ts';
import { createDeliveryQueue } from '../delivery/queue/delivery-queue.ts';
import type { Send } from '../delivery/sender.ts';
import { AppError } from '../errors.ts';
import type { NewRunId } from '../ids.ts';
import { createDueTimer } from '../leases/due-timer.ts';
import { LEASE_MS } from '../leases/lease.ts';
import type { Logger } from '../logger.ts';
import type { MemoryAccount } from '../memory-budget.ts';
import type { StepTypes } from '../steps/registry.ts';
import type { ClaimedRun, Lease, RunChange, RunClaimLimit } from '../storage/run-records.ts';
import type { Storage } from '../storage/storage.ts';
import { createDispatch, type Dispatch } from './dispatch.ts';
import type { ExecutionTools } from './execution/execution-start.ts';
import type { SecretPlaceholder } from './execution/prepared-step.ts';
import type { LargeRuns } from './large/large-runs.ts';
import { largeBody } from './large/messages.ts';
import { createRestoring } from './restore-run.ts';
import type { RunFeed } from './run-feed.ts';
import { createStepMemory } from './step-memory.ts';
import { type ActiveRun, createTurns, type PlannedTurn } from './turn.ts';
import { createWorker, type LocalEffects, type Worker } from './worker.ts';

export interface EngineOptions {
  storage: Storage;
  stepTypes: StepTypes;
  feed: RunFeed;
  clock: Clock;
  /** What the wall clock shows at a moment of `clock`. */
  toWall: (at: number) => number;
  newRunId: NewRunId;
  logger: Logger;
  random?: () => number;
  send: Send;
  localEffects: LocalEffects;
  /** What runs that are advanced here may take. */
  memory: MemoryAccount;
  /** What messages to receivers may take while they are held here. */
  messageMemory: MemoryAccount;
  largeRuns: LargeRuns;
  secrets: { placeholder: SecretPlaceholder; mask: (runId: string, text: string) => string };
}

/** Of a request whose body is decoded in the thread of large runs alone. */
export interface LargeTemplate {
  head: RequestHead;
  body: RequestBody;
  reading?: unknown;
  template: unknown;
  /** JSON text. */
  roots: string;
}

export interface Engine {
  /** Takes up what an earlier process left, and begins to watch due times. */
  start(): Promise<void>;
  dispatch: Dispatch;
  /** What becomes of a template that selects from a large request and from other roots, as JSON text. */
  renderLarge(large: LargeTemplate): Promise<string>;
  /** Null when there is no such run; `cancelled` is false when it had ended already. */
  cancel(runId: string): Promise<{ cancelled: boolean } | null>;
  /** Gives deliveries that failed or were dropped another round of attempts; returns the ids of those that get one. */
  retryDeliveries(ids: string[]): Promise<string[]>;
  /** Lets active runs finish within the time, then gives the rest back. No run is lost. */
  drain(timeoutMs: number): Promise<void>;
}

const RENEW_EVERY_MS = 5000;
const CLAIM_LIMIT = 64;
const MAX_ACTIVE = 512;
/** Until due runs are claimed again when there was no room, or no database. */
const NO_ROOM_MS = 50;
const NO_DATABASE_MS = 500;

export function createEngine(options: EngineOptions): Engine {
  const {
    storage,
    stepTypes,
    feed,
    clock,
    toWall,
    newRunId,
    logger,
    random = Math.random,
    send,
    localEffects,
    largeRuns,
    secrets,
  } = options;
  const working = new Set<Promise<unknown>>();
  const takingUp = new Map<string, Lease>();
  /** The last run that was taken up with no other of its kind beside it. */
  let alone: string | null = null;
  let renewedAt = clock();
  let isDraining = false;
  const dueTimer = createDueTimer(clock, () => track(claimDue()));
  const renewTimer = setInterval(() => track(renewLeases()), RENEW_EVERY_MS);
  const memory = createStepMemory(storage);
  const { placeholder, mask } = secrets;
  const tools: ExecutionTools = { stepTypes, random, recall: memory.peek, toWall, placeholder, mask };
  // The queue tells the worker what came of deliveries, and the worker gives the queue new ones.
  const record: Worker['record'] = (...result) => worker.record(...result);
  const { wakeBy } = dueTimer;
  const queue = createDeliveryQueue({
    storage,
    send,
    memory: options.messageMemory,
    record,
    wakeRuns: () => wakeBy(clock()),
    clock,
    toWall,
    random,
    logger,
  });
  const turns = createTurns({ memory, queue, clock, logger });
  const shared = { storage, turns, clock, logger, isDraining: () => isDraining };
  const worker = createWorker({ ...shared, queue, localEffects, memory: options.memory, feed, wakeBy, track });
  const { active } = worker;
  const onLeft = (runId: string, change: RunChange): void => queue.begin(change.deliveries, runId, false);
  const { restore, startLarge } = createRestoring({ storage, stepTypes, tools, largeRuns });
  const dispatch = createDispatch({ ...shared, tools, newRunId, onGoing: takeOver, onLeft, startLarge });

  /** Remembers work in the background until it is over, so that draining can wait for it; its failure is logged. */
  function track(work: Promise<unknown>): void {
    const tracked = work
      .catch((error: unknown) => logger.error({ err: error }, 'the engine failed'))
      .finally(() => working.delete(tracked));
    working.add(tracked);
  }

  async function allWork(): Promise<void> {
    while (working.size > 0) await Promise.all(working);
  }

  function takeOver(run: ActiveRun, turn: PlannedTurn): void {
    if (isDraining && turn.change.status === 'running') return track(worker.giveBack(run));
    worker.begin(run, turn);
    worker.forget(run);
  }

  function claimLimits(): RunClaimLimit {
    return {
      limit: Math.min(CLAIM_LIMIT, MAX_ACTIVE - working.size),
      maxWeight: options.memory.room,
      takesAlone: alone === null || !(takingUp.has(alone) || active.has(alone)),
    };
  }

  async function claimDue(): Promise<void> {
    if (isDraining) return;
    try {
      // After a sleep of the machine, or a long lock, our own runs must not look abandoned.
      if (clock() - renewedAt > 2 * RENEW_EVERY_MS) await renewLeases();
      let now = clock();
      for (let limits = claimLimits(); limits.limit > 0 && !isDraining; limits = claimLimits()) {
        now = clock();
        const claimed = await storage.claimDueRuns(now, now + LEASE_MS, limits);
        for (const run of claimed) track(takeUp(run));
        if (claimed.length < limits.limit) break;
      }
      const next = (await storage.nextWake()) ?? Number.POSITIVE_INFINITY;
      // What was due and was not claimed waits for room.
      dueTimer.wakeBy(next <= now ? clock() + NO_ROOM_MS : next);
    } catch (error) {
      logger.warn({ err: error }, 'due runs could not be claimed; trying again');
      dueTimer.wakeBy(clock() + NO_DATABASE_MS);
    }
  }

  /** Somebody else has it now, or nobody any more. */
  function stopRun(runId: string): void {
    const run = active.get(runId);
    if (run !== undefined) run.isStopped = true;
  }

  async function takeUp(claimed: ClaimedRun): Promise<void> {
    const { lease } = claimed;
    const weight = runWeight(claimed.bytes);
    let run: ActiveRun | null = null;
    stopRun(lease.runId);
    options.memory.takeAnyway(weight);
    takingUp.set(lease.runId, lease);
    if (claimed.isAlone) alone = lease.runId;
    try {
      run = await restore(claimed);
      run.weight = weight;
      const { execution } = run;
      await worker.advance(run, () => {
        for (const { step, result } of claimed.results) execution.giveResult(step, result);
      });
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'unavailable') throw error;
      logger.warn({ run_id: lease.runId, reason: error.message }, 'a run could not be taken up; trying again');
      await storage.releaseRun(lease, clock() + NO_DATABASE_MS);
    } finally {
      if (run === null) options.memory.give(weight);
      else worker.forget(run);
      takingUp.delete(lease.runId);
    }
  }

  async function renewLeases(): Promise<void> {
    const now = clock();
    const acting = [...active.values()].filter(({ effects }) => effects > 0).map(({ lease }) => lease);
    const leases = [...acting, ...takingUp.values()];
    const lost = leases.length === 0 ? [] : await storage.renewLeases(leases, now + LEASE_MS);
    renewedAt = now;
    for (const runId of lost) stopRun(runId);
  }

  return {
    dispatch,
    renderLarge: ({ head, body, reading, template, roots }) =>
      largeRuns.render(
        { head: stringifyJson(head), body: largeBody(body, reading), template: stringifyJson(template), roots },
        body.bytes.byteLength,
      ),
    async start() {
      const { recovered, poisoned } = await storage.recoverRuns(clock());
      if (recovered > 0) logger.info({ runs: recovered }, 'took up runs that an earlier process left');
      for (const runId of poisoned) logger.error({ run_id: runId, error_code: POISONED.code }, POISONED.message);
      await queue.start();
      await claimDue();
    },
    async cancel(runId) {
      const result = await storage.cancelRun(runId, clock());
      if (result === null) return null;
      stopRun(runId);
      queue.giveUp(runId);
      feed.publish(runId, result.events);
      if (result.cancelled) logger.info({ run_id: runId, status: 'cancelled' }, 'run ended');
      return { cancelled: result.cancelled };
    },
    async retryDeliveries(ids) {
      const revived = await storage.retryDeliveries(ids, clock());
      for (const { origin } of revived) queue.wake(origin);
      return revived.map(({ id }) => id);
    },
    async drain(timeoutMs) {
      isDraining = true;
      dueTimer.stop();
      clearInterval(renewTimer);
      let deadline: NodeJS.Timeout | undefined;
      const timeIsUp = new Promise<void>((resolve) => {
        deadline = setTimeout(resolve, timeoutMs);
      });
      await Promise.all([queue.drain(timeoutMs), Promise.race([allWork(), timeIsUp])]);
      clearTimeout(deadline);
      await Promise.all([...active.values()].filter(({ effects }) => effects > 0).map(worker.giveBack));
      await largeRuns.close();
    },
  };
}
