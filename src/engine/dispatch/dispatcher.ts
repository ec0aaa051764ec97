// Starts a run: plans its first turn in memory and stores request and turn in one commit. A run whose steps have no
// effects outside also ends within that commit.

import type { Clock } from '../../clock.ts';
import { stringifyJson } from '../../core/json/json.ts';
import type { Request } from '../../core/run/request.ts';
import { isTerminal } from '../../core/run/run.ts';
import { isAnswer } from '../../core/run/run-answer.ts';
import { bindInputs } from '../../core/workflow/inputs.ts';
import type { WorkflowVersion } from '../../core/workflow/plan.ts';
import { AppError } from '../../errors.ts';
import type { NewRunId } from '../../ids.ts';
import { FIRST_EPOCH } from '../../leases/lease.ts';
import type { Logger } from '../../logger.ts';
import { MAX_REPEATS, pauseBefore, repeatUnknown } from '../../repetition.ts';
import type { CreateRunResult, CreateRunsResult, Turn } from '../../storage/runs/run-records.ts';
import type { Storage } from '../../storage/storage.ts';
import type { Program, Programs, SecretPlaceholder } from '../execution/program.ts';
import type { LargeRun } from '../large/large-runs.ts';
import type { StartedRuns } from '../started-runs.ts';
import { ActiveRun, logRunEnd, type PlannedTurn, type Turns } from '../turn.ts';
import { eventsOf } from '../turn-events.ts';
import { keptBy } from './kept-steps.ts';
import { newRun } from './new-run.ts';
import { QueuedRuns, type QueuedRunsOptions } from './queued-runs.ts';
import { joinEarlier, joinRequest, refuseReusedKey, rethrowOf } from './refused-runs.ts';
import type { Dispatch, DispatchAll, Dispatched, SharedRequest, SmallTrigger, Trigger } from './trigger.ts';

export interface DispatchOptions<Version extends WorkflowVersion> extends Pick<QueuedRunsOptions<Version>, 'renderLarge' | 'onDecided'> {
  storage: Pick<Storage, 'createRun' | 'createRuns'>;
  programs: Pick<Programs<Version>, 'create'>;
  turns: Turns;
  clock: Clock;
  newRunId: NewRunId;
  logger: Logger;
  isDraining: () => boolean;
  startedRuns: StartedRuns;
  /** Called with a run that continues after its first commit. */
  onContinue: (run: ActiveRun, firstTurn: PlannedTurn) => void;
  /** Called with a run that ended within its first commit and has deliveries to send. */
  onFinished: (runId: string, turn: Turn) => void;
  placeholder: SecretPlaceholder;
  startLarge: (runId: string, trigger: Trigger<Version>) => Promise<LargeRun>;
}

/** A run whose first turn is planned. */
interface Planned {
  runId: string;
  now: number;
  program: Program;
  firstTurn: PlannedTurn;
  /** How often the run has been planned. */
  attempt: number;
  /** JSON text of the bound inputs; null if request and workflow determine them. */
  inputs: string | null;
}

export class Dispatcher<Version extends WorkflowVersion> {
  readonly #options: DispatchOptions<Version>;
  readonly #queuedRuns: QueuedRuns<Version>;

  constructor(options: DispatchOptions<Version>) {
    this.#options = options;
    this.#queuedRuns = new QueuedRuns(options);
  }

  readonly dispatch: Dispatch<Version> = (trigger) => (trigger.flow === null ? this.#start(trigger, 1) : this.#queue(trigger));

  /** The runs are planned one after the other, so that each sees the step memory that the one before it leaves. */
  readonly dispatchAll: DispatchAll<Version> = async (triggers, shared) => {
    // Large runs are stored before they are planned: the thread that plans them has not the memory for several at a time.
    if (!areSmall(triggers) || triggers.some(({ flow }) => flow !== null)) return await this.#queueAll(triggers, shared);
    for (let attempt = 1; ; attempt += 1) {
      this.#refuseWhenDraining();
      const dispatched = await this.#startAll(triggers, shared, attempt);
      if (dispatched !== null) return dispatched;
      if (attempt > MAX_REPEATS) throw memoryContended();
      await pauseBefore(attempt);
    }
  };

  async #queue(trigger: Trigger<Version>): Promise<Dispatched> {
    this.#refuseWhenDraining();
    return await this.#queuedRuns.startOne(trigger);
  }

  async #queueAll(triggers: readonly Trigger<Version>[], shared: SharedRequest | undefined): Promise<Dispatched[]> {
    this.#refuseWhenDraining();
    return await this.#queuedRuns.start(triggers, shared);
  }

  /** Resolves to null when the runs must be planned again. */
  async #startAll(
    triggers: readonly SmallTrigger<Version>[],
    shared: SharedRequest | undefined,
    attempt: number,
  ): Promise<Dispatched[] | null> {
    const { storage, turns } = this.#options;
    const planned: Planned[] = [];
    const stored = new Set<number>();
    try {
      for (const [item, trigger] of triggers.entries())
        planned.push(await this.#planHere(trigger, trigger.request, attempt).catch((error: unknown) => rethrowOf(item, error, shared)));
      const runs = planned.map((plan, item) => newRun(triggers[item] as SmallTrigger<Version>, plan, null));
      const key = shared?.idempotency ?? null;
      const create = (): Promise<CreateRunsResult> => storage.createRuns(runs, key);
      const { isStored, results, earlier } = await create().catch((error: unknown) => repeatUnknown(error, create));
      if (earlier !== undefined) return joinRequest(earlier, key?.key ?? '');
      if (!isStored) return refuseReusedKey(results, triggers);
      for (const [item, { kind }] of results.entries()) if (kind === 'created') stored.add(item);
      return planned.map((plan, item) => this.#finishOf(triggers[item] as SmallTrigger<Version>, plan, results[item] as CreateRunResult));
    } finally {
      // Later turns must not be planned on turns that were not stored; the latest is discarded first.
      for (const [item, { firstTurn }] of [...planned.entries()].toReversed())
        if (!stored.has(item)) turns.discard((triggers[item] as SmallTrigger<Version>).sinkId, firstTurn.turn);
    }
  }

  #finishOf(trigger: Trigger<Version>, planned: Planned, result: CreateRunResult): Dispatched {
    if (result.kind === 'duplicate') return joinEarlier(result, trigger.idempotency?.key ?? '');
    this.#begin(trigger, planned);
    const { turn } = planned.firstTurn;
    const ended = isTerminal(turn.status) ? turn : null;
    return {
      runId: planned.runId,
      events: eventsOf(turn),
      answer: turn.steps.find(isAnswer) ?? null,
      ended,
      isDuplicate: false,
      isQueued: false,
    };
  }

  #refuseWhenDraining(): void {
    if (this.#options.isDraining()) throw new AppError('unavailable', 'the server is shutting down; try again', { retryAfterSeconds: 5 });
  }

  #start(trigger: Trigger<Version>, attempt: number): Promise<Dispatched> {
    try {
      this.#refuseWhenDraining();
      return trigger.request === null ? this.#startLarge(trigger, attempt) : this.#startHere(trigger, trigger.request, attempt);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Throws as `bindInputs` does. Not async: every extra promise costs every run. */
  #startHere(trigger: Trigger<Version>, request: Request, attempt: number): Promise<Dispatched> {
    const planned = this.#planNow(trigger, request, attempt);
    return planned instanceof Promise ? planned.then((plan) => this.#store(trigger, plan)) : this.#store(trigger, planned);
  }

  async #planHere(trigger: Trigger<Version>, request: Request, attempt: number): Promise<Planned> {
    return await this.#planNow(trigger, request, attempt);
  }

  /** Throws as `bindInputs` does. Returns a promise only if the plan is one. */
  #planNow(trigger: Trigger<Version>, request: Request, attempt: number): Planned | Promise<Planned> {
    const { programs, turns, newRunId, clock, placeholder } = this.#options;
    const { sinkId, workflow, inputMapping, replay } = trigger;
    const inputs = bindInputs(workflow, inputMapping, request, trigger.body.kind);
    // Read first: a run must not be younger than its id says, or a list since that time would not contain it.
    const now = clock();
    const runId = newRunId();
    const { kind: bodyKind, bytes } = trigger.body;
    const isDry = replay?.mode === 'dry';
    const kept = keptBy(runId, replay, placeholder);
    const bodySize = bytes.byteLength;
    const program = programs.create({ runId, sinkId, workflow, request, inputs, bodyKind, bodySize, isDry, kept });
    const planned = turns.plan(runId, sinkId, program);
    const isMapped = Object.keys(inputMapping).length > 0;
    const withInputs = (firstTurn: PlannedTurn): Planned => {
      const needsInputs = isMapped && !isTerminal(firstTurn.turn.status);
      return { runId, now, program, firstTurn, attempt, inputs: needsInputs ? stringifyJson(inputs) : null };
    };
    return planned instanceof Promise ? planned.then(withInputs) : withInputs(planned);
  }

  async #startLarge(trigger: Trigger<Version>, attempt: number): Promise<Dispatched> {
    const { turns, newRunId, clock, startLarge } = this.#options;
    const now = clock();
    const runId = newRunId();
    const run = await startLarge(runId, trigger);
    let continues = false;
    try {
      const firstTurn = await turns.plan(runId, trigger.sinkId, run);
      // Receiving a large turn and handing it to the writer both block the event loop: let others run in between.
      await new Promise(setImmediate);
      const { kind, charset, inputs } = run.started;
      const body = { ...trigger.body, kind, charset };
      const dispatched = await this.#store({ ...trigger, body }, { runId, now, program: run, firstTurn, attempt, inputs });
      continues = dispatched.ended === null && dispatched.runId === runId;
      return dispatched;
    } finally {
      // The worker disposes of a run that continues.
      if (!continues) run.dispose();
    }
  }

  async #store(trigger: Trigger<Version>, planned: Planned): Promise<Dispatched> {
    const { storage, turns } = this.#options;
    const { turn } = planned.firstTurn;
    const run = newRun(trigger, planned, null);
    let created: CreateRunResult | undefined;
    try {
      created = await storage.createRun(run);
    } catch (error) {
      // A caller who repeated the request would start a second run.
      created = await repeatUnknown(error, () => storage.createRun(run));
    } finally {
      // Later turns must not be planned on a turn that was not stored.
      if (created?.kind !== 'created') turns.discard(trigger.sinkId, turn);
    }
    if (created.kind === 'id_taken' || created.kind === 'memory_changed') return await this.#startAgain(trigger, planned.attempt);
    return this.#finishOf(trigger, planned, created);
  }

  /** Plans the run again: another run has its id, or has changed the memory that it read. */
  async #startAgain(trigger: Trigger<Version>, attempt: number): Promise<Dispatched> {
    if (attempt > MAX_REPEATS) throw memoryContended();
    await pauseBefore(attempt);
    return await this.#start(trigger, attempt + 1);
  }

  /** After the commit: announces the run, and sends the deliveries of a run that has ended, or hands the run to the worker. */
  #begin({ appId, sinkId, body, head }: Trigger<Version>, { runId, now, program, firstTurn }: Planned): void {
    const { logger, startedRuns, onContinue, onFinished } = this.#options;
    const { turn } = firstTurn;
    startedRuns.announce(sinkId, runId, head, body);
    if (isTerminal(turn.status)) {
      logRunEnd(logger, { appId, sinkId, createdAt: now }, runId, turn);
      if (turn.deliveries.length > 0) onFinished(runId, turn);
    } else {
      const owner = { appId, sinkId, createdAt: now, bytes: body.bytes.byteLength, hasFlow: false };
      onContinue(new ActiveRun({ runId, epoch: FIRST_EPOCH, turns: 1 }, owner, program, head.files), firstTurn);
    }
  }
}

function areSmall<Version extends WorkflowVersion>(triggers: readonly Trigger<Version>[]): triggers is readonly SmallTrigger<Version>[] {
  return triggers.every(({ request }) => request !== null);
}

function memoryContended(): AppError {
  return new AppError('unavailable', 'too many runs change the memory of this sink at the same time; try again', { retryAfterSeconds: 1 });
}
