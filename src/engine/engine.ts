// The run engine: starts runs, advances them turn by turn, and resumes unfinished runs after a restart.
// A turn is planned in memory, written in one commit, and only then published or sent.

import { stringifyJson } from '../core/json/json.ts';
import type { RequestBody, RequestHead } from '../core/run/request.ts';
import type { BodySchema } from '../core/sink/schema-setting.ts';
import type { Workflow, WorkflowVersion } from '../core/workflow/plan.ts';
import { DeliveryQueue, type DeliveryQueueOptions } from '../delivery/queue/delivery-queue.ts';
import type { Send } from '../delivery/sender.ts';
import type { NewRunId } from '../ids.ts';
import { ClaimLoop } from '../leases/claim-loop.ts';
import { waitAtMost } from '../leases/wait-at-most.ts';
import type { Logger } from '../logger.ts';
import type { MemoryAccount } from '../memory-budget.ts';
import { repeatUnknown } from '../repetition.ts';
import type { NewReply, StoreReplyResult } from '../storage/reply-records.ts';
import type { FlowDecision } from '../storage/runs/run-records.ts';
import type { Storage, StorageNode } from '../storage/storage.ts';
import { BackgroundWork } from './background-work.ts';
import { Dispatcher } from './dispatch/dispatcher.ts';
import type { Dispatch, DispatchAll } from './dispatch/trigger.ts';
import { DueRuns } from './due-runs.ts';
import type { Programs, ProgramTools, SecretPlaceholder, WorkflowReference } from './execution/program.ts';
import type { LargeRuns } from './large/large-runs.ts';
import { largeBody } from './large/messages.ts';
import { OtherOwners } from './other-owners.ts';
import { RunRestorer } from './restore-run.ts';
import type { RunFeed } from './run-feed.ts';
import { StartedRuns } from './started-runs.ts';
import { createStepMemory } from './step-memory.ts';
import { type ActiveRun, type PlannedTurn, Turns } from './turn.ts';
import { type LocalEffects, Worker } from './worker.ts';

export interface EngineOptions<Version extends WorkflowVersion> {
  storage: Storage;
  createPrograms: (tools: ProgramTools) => Programs<Version>;
  feed: RunFeed;
  node: StorageNode;
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

export class Engine<Version extends WorkflowVersion = Workflow> {
  readonly #options: EngineOptions<Version>;
  readonly #background: BackgroundWork;
  readonly #queue: DeliveryQueue;
  readonly #worker: Worker;
  readonly #runLoop: ClaimLoop;
  readonly #others: OtherOwners;
  readonly #programs: Programs<Version>;
  #isDraining = false;
  readonly dispatch: Dispatch<Version>;
  readonly dispatchAll: DispatchAll<Version>;
  readonly newRunId: NewRunId;
  readonly startedRuns = new StartedRuns();

  constructor(options: EngineOptions<Version>) {
    const { storage, node, feed, newRunId, logger, random = Math.random, send, localEffects, memory, largeRuns } = options;
    const { isAlone } = node;
    const { clock, toWall } = node.time;
    const background = new BackgroundWork(logger);
    const { track } = background;
    const stepMemory = createStepMemory(storage);
    const tools: ProgramTools = { random, recall: stepMemory.peek, toWall, ...options.secrets };
    const programs = options.createPrograms(tools);
    // The queue gives the worker the results of deliveries, and the worker gives the queue new deliveries.
    const record: DeliveryQueueOptions['record'] = (...attempt) => worker.record(...attempt);
    const onLeaseLost: DeliveryQueueOptions['onLeaseLost'] = (delivery) => worker.loseDelivery(delivery);
    const onRunsDue = (): void => this.#scheduleAt(clock());
    const queue = new DeliveryQueue({
      storage,
      send,
      memory: options.messageMemory,
      record,
      onLeaseLost,
      onRunsDue,
      clock,
      toWall,
      isAlone,
      random,
      logger,
    });
    const turns = new Turns({ memory: stepMemory, queue, clock, logger });
    const shared = { storage, turns, clock, logger, isDraining: () => this.#isDraining };
    const worker = new Worker({ ...shared, queue, localEffects, memory, feed, scheduleAt: this.#scheduleAt, track });
    const { restore, startLarge } = new RunRestorer({ storage, programs, tools, largeRuns });
    const { dispatch, dispatchAll } = new Dispatcher({
      ...shared,
      programs,
      newRunId,
      startedRuns: this.startedRuns,
      onContinue: this.#onContinue,
      onFinished: (runId, { at, deliveries }) => queue.enqueue(deliveries, { runId, hasWaiter: false, leasedAt: at }),
      startLarge,
      renderLarge: this.renderLarge,
      onDecided: this.#onDecided,
      placeholder: tools.placeholder,
    });
    this.#options = options;
    this.#background = background;
    this.#programs = programs;
    this.#queue = queue;
    this.#worker = worker;
    this.#runLoop = new ClaimLoop(new DueRuns({ ...shared, startedRuns: this.startedRuns, worker, restore, background, memory }), {
      clock,
      isAlone,
      logger,
      track,
    });
    this.#others = new OtherOwners({ storage, node, feed, logger, onDue: () => this.lookAgain() });
    this.newRunId = newRunId;
    this.dispatch = dispatch;
    this.dispatchAll = dispatchAll;
  }

  /** Resumes the runs that dead processes left, and begins to watch due times. */
  async start(): Promise<void> {
    await this.#others.reap();
    await this.#queue.start();
    await this.#runLoop.claimNow();
    this.#others.follow();
  }

  /** Renders a template that selects from a large request and from other roots. Returns JSON text. */
  readonly renderLarge = ({ head, body, reading, template, roots }: LargeTemplate): Promise<string> => {
    const render = { head: stringifyJson(head), body: largeBody(body, reading), template: stringifyJson(template), roots };
    return this.#options.largeRuns.render(render, body.bytes.byteLength);
  };

  /** Rejects with `unprocessable` if a large body does not fit the schema of its sink. */
  readonly checkLarge = ({ body, reading }: Pick<LargeTemplate, 'body' | 'reading'>, schema: BodySchema): Promise<void> => {
    const check = { body: largeBody(body, reading), schema: JSON.stringify(schema) };
    return this.#options.largeRuns.check(check, body.bytes.byteLength);
  };

  /** Resolves to null when the version is not stored. A null reference is the sink's that names no workflow. */
  readonly loadWorkflow = (appId: string, reference: WorkflowReference | null): Promise<Version | null> =>
    this.#programs.load(appId, reference);

  /** Null when there is no such run; `cancelled` is false when it had ended already. */
  async cancel(runId: string): Promise<{ cancelled: boolean } | null> {
    const { storage, feed, logger } = this.#options;
    const result = await storage.cancelRun(runId);
    if (result === null) return null;
    this.#worker.stop(runId);
    this.#queue.abortRun(runId);
    feed.publish(runId, result.events);
    if (!result.cancelled) return { cancelled: false };
    logger.info({ run_id: runId, status: 'cancelled' }, 'run ended');
    // The end of the run may start others.
    this.lookAgain();
    return { cancelled: true };
  }

  /** Stores the first reply to the URLs of a step. The run that waits for it goes on at once. */
  async reply(reply: NewReply): Promise<StoreReplyResult> {
    const { storage, node } = this.#options;
    const store = (): Promise<StoreReplyResult> => storage.storeReply(reply);
    const result = await store().catch((error: unknown) => repeatUnknown(error, store));
    if (result.kind === 'stored') this.#scheduleAt(node.time.clock());
    return result;
  }

  /** Gives failed and dropped deliveries another round of attempts. Returns the ids of the deliveries that get one. */
  async retryDeliveries(ids: string[]): Promise<string[]> {
    const retried = await this.#options.storage.retryDeliveries(ids);
    for (const { origin } of retried) this.#queue.markDue(origin);
    return retried.map(({ id }) => id);
  }

  /** The origins to which this process pauses deliveries after failures. */
  openCircuits(): string[] {
    return this.#queue.openCircuits();
  }

  /** Waits for active runs, at most so long, then releases the rest. No run is lost. */
  async drain(timeoutMs: number): Promise<void> {
    this.#isDraining = true;
    this.#others.stop();
    this.#runLoop.stop();
    await Promise.all([this.#queue.drain(timeoutMs), waitAtMost(timeoutMs, this.#background.ended())]);
    const acting = [...this.#worker.active.values()].filter(({ effects }) => effects > 0);
    await Promise.all(acting.map((run) => this.#worker.release(run)));
    await this.#options.largeRuns.close();
  }

  /** Something may have become due: another owner or an edit of definitions has changed the database. */
  lookAgain(): void {
    this.#scheduleAt(this.#options.node.time.clock());
    this.#queue.lookAgain();
  }

  readonly #scheduleAt = (at: number): void => this.#runLoop.scheduleAt(at);

  readonly #onDecided = ({ dueAt, superseded }: FlowDecision): void => {
    const { feed, logger } = this.#options;
    for (const runId of superseded) {
      logger.info({ run_id: runId, status: 'cancelled', error_code: 'superseded' }, 'run ended');
      feed.remind(runId);
    }
    if (dueAt !== null) this.#scheduleAt(dueAt);
  };

  readonly #onContinue = (run: ActiveRun, planned: PlannedTurn): void => {
    if (this.#isDraining && planned.turn.status === 'running') return this.#background.track(this.#worker.release(run));
    this.#worker.begin(run, planned);
    this.#worker.forget(run);
  };
}
