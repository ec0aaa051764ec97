// The run engine: starts runs, advances them turn by turn, and resumes unfinished runs after a restart.
// A turn is planned in memory, written in one commit, and only then published or sent.

import type { Clock } from '../clock.ts';
import { stringifyJson } from '../core/json/json.ts';
import type { RequestBody, RequestHead } from '../core/run/request.ts';
import { POISONED } from '../core/run/run-event.ts';
import { DeliveryQueue, type DeliveryQueueOptions } from '../delivery/queue/delivery-queue.ts';
import type { Send } from '../delivery/sender.ts';
import type { NewRunId } from '../ids.ts';
import { ClaimLoop } from '../leases/claim-loop.ts';
import { waitAtMost } from '../leases/wait-at-most.ts';
import type { Logger } from '../logger.ts';
import type { MemoryAccount } from '../memory-budget.ts';
import type { StepTypes } from '../steps/registry.ts';
import type { RunChange } from '../storage/run-records.ts';
import type { Storage } from '../storage/storage.ts';
import { BackgroundWork } from './background-work.ts';
import { type Dispatch, Dispatcher } from './dispatch.ts';
import { DueRuns } from './due-runs.ts';
import type { ExecutionTools } from './execution/execution-start.ts';
import type { SecretPlaceholder } from './execution/prepared-step.ts';
import type { LargeRuns } from './large/large-runs.ts';
import { largeBody } from './large/messages.ts';
import { createRestoring } from './restore-run.ts';
import type { RunFeed } from './run-feed.ts';
import { createStepMemory } from './step-memory.ts';
import { type ActiveRun, createTurns, type PlannedTurn } from './turn.ts';
import { type LocalEffects, Worker } from './worker.ts';

export interface EngineOptions {
  storage: Storage;
  stepTypes: StepTypes;
  feed: RunFeed;
  clock: Clock;
  /** The time of the wall clock at a moment of `clock`. */
  toWall: (at: number) => number;
  newRunId: NewRunId;
  logger: Logger;
  random?: () => number;
  send: Send;
  localEffects: LocalEffects;
  /** For the runs in memory. */
  memory: MemoryAccount;
  /** For the messages in memory. */
  messageMemory: MemoryAccount;
  largeRuns: LargeRuns;
  secrets: { placeholder: SecretPlaceholder; mask: (runId: string, text: string) => string };
}

/** A template over a large request, whose body only the thread of large runs decodes. */
export interface LargeTemplate {
  head: RequestHead;
  body: RequestBody;
  reading?: unknown;
  template: unknown;
  /** JSON text. */
  roots: string;
}

export interface Engine {
  /** Resumes the runs that an earlier process left, and begins to watch due times. */
  start(): Promise<void>;
  dispatch: Dispatch;
  /** Renders a template that selects from a large request and from other roots. Returns JSON text. */
  renderLarge(large: LargeTemplate): Promise<string>;
  /** Null when there is no such run; `cancelled` is false when it had ended already. */
  cancel(runId: string): Promise<{ cancelled: boolean } | null>;
  /** Gives failed and dropped deliveries another round of attempts. Returns the ids of those that get one. */
  retryDeliveries(ids: string[]): Promise<string[]>;
  /** Waits for active runs, at most so long, then releases the rest. No run is lost. */
  drain(timeoutMs: number): Promise<void>;
}

export function createEngine(options: EngineOptions): Engine {
  const { storage, stepTypes, feed, clock, toWall, newRunId, logger, random = Math.random, send, localEffects, largeRuns } = options;
  const background = new BackgroundWork(logger);
  const { track } = background;
  const memory = createStepMemory(storage);
  const tools: ExecutionTools = { stepTypes, random, recall: memory.peek, toWall, ...options.secrets };
  let isDraining = false;
  // The queue gives the worker the results of deliveries, and the worker gives the queue new deliveries.
  const record: DeliveryQueueOptions['record'] = (...attempt) => worker.record(...attempt);
  const scheduleAt = (at: number): void => runLoop.scheduleAt(at);
  const onRunsDue = (): void => scheduleAt(clock());
  const queue = new DeliveryQueue({ storage, send, memory: options.messageMemory, record, onRunsDue, clock, toWall, random, logger });
  const turns = createTurns({ memory, queue, clock, logger });
  const shared = { storage, turns, clock, logger, isDraining: () => isDraining };
  const worker = new Worker({ ...shared, queue, localEffects, memory: options.memory, feed, scheduleAt, track });
  const { restore, startLarge } = createRestoring({ storage, tools, largeRuns });
  const runs = new DueRuns({ ...shared, worker, restore, background, memory: options.memory });
  const runLoop = new ClaimLoop(runs, { clock, logger, track });
  const onFinished = (runId: string, change: RunChange): void => queue.enqueue(change.deliveries, runId, false);
  const { dispatch } = new Dispatcher({ ...shared, tools, newRunId, onContinue, onFinished, startLarge });

  function onContinue(run: ActiveRun, turn: PlannedTurn): void {
    if (isDraining && turn.change.status === 'running') return track(worker.release(run));
    worker.begin(run, turn);
    worker.forget(run);
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
      if (recovered > 0) logger.info({ runs: recovered }, 'resumes runs that an earlier process left');
      for (const runId of poisoned) logger.error({ run_id: runId, error_code: POISONED.code }, POISONED.message);
      await queue.start();
      await runLoop.claimNow();
    },
    async cancel(runId) {
      const result = await storage.cancelRun(runId, clock());
      if (result === null) return null;
      worker.stop(runId);
      queue.abortRun(runId);
      feed.publish(runId, result.events);
      if (result.cancelled) logger.info({ run_id: runId, status: 'cancelled' }, 'run ended');
      return { cancelled: result.cancelled };
    },
    async retryDeliveries(ids) {
      const retried = await storage.retryDeliveries(ids, clock());
      for (const { origin } of retried) queue.markDue(origin);
      return retried.map(({ id }) => id);
    },
    async drain(timeoutMs) {
      isDraining = true;
      runLoop.stop();
      await Promise.all([queue.drain(timeoutMs), waitAtMost(timeoutMs, background.ended())]);
      await Promise.all([...worker.active.values()].filter(({ effects }) => effects > 0).map((run) => worker.release(run)));
      await largeRuns.close();
    },
  };
}
