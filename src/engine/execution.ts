// One run in memory: plans each step as soon as what it needs is there, and gathers what the next commit must say.
// It decides everything and touches nothing: time comes as an argument, sending and storing are the caller's.
// A class and no closures, because one is made for every request.

import { originOf } from '../core/delivery.ts';
import { deliveryIdOf } from '../core/delivery-id.ts';
import type { Images, ImageWant } from '../core/image.ts';
import type { Request } from '../core/request.ts';
import { retryDelayMs } from '../core/retry.ts';
import { progressOf, type RunError, readiness } from '../core/run.ts';
import type { ProgressEvent, RunOutcome } from '../core/run-event.ts';
import { stringifyShown } from '../core/stored-value.ts';
import type { Workflow, WorkflowStep } from '../core/workflow.ts';
import type { StepTypes } from '../steps/index.ts';
import type { EffectResult, FileWrite, StepOutcome, StepPlan } from '../steps/step-type.ts';
import type { NewDelivery } from '../storage/delivery-records.ts';
import type { RunChange, StepRecord } from '../storage/storage.ts';
import type { PreparedStep, SecretPlaceholder } from './prepared-step.ts';
import { type Recall, StepPlanner } from './step-planner.ts';
import { StepStates } from './step-states.ts';

export interface ExecutionTools {
  stepTypes: StepTypes;
  /** In [0, 1), for retry jitter. */
  random: () => number;
  recall: Recall;
  placeholder: SecretPlaceholder;
  /** Hides secrets in what callers see. */
  mask: (runId: string, text: string) => string;
}

export interface ExecutionStart {
  runId: string;
  sinkId: string;
  workflow: Workflow;
  request: Request;
  inputs: Record<string, unknown>;
}

/** Where an earlier owner of the run left it. */
export interface ExecutionPast {
  steps: StepRecord[];
  progress: number;
  lastSeq: number;
}

/** What a step wants done in this process before it can go on. */
export interface LocalEffect {
  step: string;
  plan: { kind: 'load'; wants: readonly ImageWant[] } | FileWrite;
}

const NOTHING: never[] = [];

export class Execution {
  readonly #tools: ExecutionTools;
  readonly #runId: string;
  readonly #workflow: Workflow;
  readonly #steps: StepStates;
  readonly #roots: { inputs: Record<string, unknown>; request: Request; steps: Record<string, unknown> };
  readonly #planner: StepPlanner;
  /** By step: what came of it since it was planned. */
  #results: Map<string, EffectResult> | null = null;
  #events: ProgressEvent[] = [];
  #deliveries: NewDelivery[] | null = null;
  #progress = 0;
  #lastSeq = 0;
  #ending: RunOutcome | null = null;

  /** A new run, or with `past` one that is taken up. */
  constructor(tools: ExecutionTools, { runId, sinkId, workflow, request, inputs }: ExecutionStart, past?: ExecutionPast) {
    this.#tools = tools;
    this.#runId = runId;
    this.#workflow = workflow;
    this.#roots = { inputs, request, steps: {} };
    this.#steps = new StepStates(workflow.steps);
    const run = { runId, workflow, roots: this.#roots, placeholder: tools.placeholder };
    this.#planner = new StepPlanner(tools.stepTypes, run, sinkId, tools.recall);
    if (past === undefined) this.#emit(0);
    else {
      this.#progress = past.progress;
      this.#lastSeq = past.lastSeq;
      for (const record of past.steps) this.#roots.steps[record.step] = this.#steps.restore(record);
    }
  }

  /** Runs every step that can run at `now`; returns what is to be done here once the change is on disk. */
  advance(now: number): LocalEffect[] {
    const effects: LocalEffect[] = [];
    let isMoving = true;
    while (isMoving && this.#ending === null) {
      isMoving = false;
      for (const step of this.#workflow.steps) {
        if (this.#ending !== null) break;
        const { status, dueAt, attempt } = this.#steps.of(step);
        if (status === 'completed' || status === 'skipped') continue;
        let effect: LocalEffect | null = null;
        if (status === 'pending') {
          const stepType = this.#planner.typeOf(step);
          const state = readiness(step, this.#steps.all, stepType.nulls === 'merge');
          if (state === 'not_yet') continue;
          if (state === 'skip' || this.#planner.isStarved(step, stepType)) this.#steps.decide(step, 'skipped', now);
          else {
            const prepared = this.#planner.prepare(step, stepType, attempt + 1, now);
            if (prepared === null) continue;
            effect = this.#begin(prepared, now);
          }
        } else {
          const hasResult = this.#results?.has(step.name) === true;
          const isDue = status === 'waiting' && dueAt !== null && dueAt <= now;
          if (!hasResult && !isDue) continue;
          // A wait for another try begins one.
          const isRetry = !hasResult && this.#steps.of(step).error !== null;
          const prepared = this.#planner.prepare(step, this.#planner.typeOf(step), isRetry ? attempt + 1 : attempt, now);
          if (prepared === null) continue;
          if (hasResult) this.#interpret(prepared, now);
          else if (isRetry) effect = this.#begin(prepared, now);
          else this.#wake(prepared, now);
        }
        isMoving = true;
        if (effect !== null) effects.push(effect);
      }
    }
    if (this.#ending === null && this.#isEveryStepDecided()) this.#complete();
    return this.#ending === null ? effects : [];
  }

  /** Keys of the sink's memory that must be loaded before some step can be planned; told once. */
  takeWantedKeys(): readonly string[] {
    return this.#planner.memory?.takeWanted() ?? NOTHING;
  }

  /** Takes in what came of a step's delivery or local effect, for the next advance. */
  giveResult(step: string, result: EffectResult): void {
    this.#results = (this.#results ?? new Map()).set(step, result);
  }

  /** The images that a step asked for are there: it is planned again, as the same try. */
  giveImages(name: string, images: Images): void {
    const state = this.#steps.of(this.#workflow.steps.find((step) => step.name === name) as WorkflowStep);
    state.status = 'pending';
    state.attempt -= 1;
    this.#planner.giveImages(name, images);
  }

  /** Ends the run at once, as failed. */
  abort(error: RunError): void {
    this.#ending ??= { status: 'failed', output: null, error: { ...error, message: this.#mask(error.message) } };
  }

  /** What happened since the last call. `leaseUntil` is when a run that goes on here must be looked at. */
  takeChange(leaseUntil: number, now: number): RunChange {
    const ending = this.#ending;
    if (ending !== null) this.#lastSeq += 1;
    const isActing = ending === null && this.#steps.isActing();
    const change: RunChange = {
      status: ending?.status ?? (isActing ? 'running' : 'waiting'),
      progress: this.#progress,
      events: this.#events,
      lastSeq: this.#lastSeq,
      steps: this.#steps.takeRecords(),
      deliveries: this.#deliveries ?? NOTHING,
      memory: this.#planner.memory?.takeUses() ?? NOTHING,
      wakeAt: ending !== null ? null : isActing ? leaseUntil : this.#steps.nextDueAt(),
      output: ending?.output ?? null,
      error: ending?.error ?? null,
      at: now,
    };
    this.#events = [];
    this.#deliveries = null;
    return change;
  }

  #mask(text: string): string {
    return this.#tools.mask(this.#runId, text);
  }

  #emit(reached: number, step: string | null = null, message: string | null = null): void {
    this.#progress = Math.max(this.#progress, reached);
    this.#lastSeq += 1;
    this.#events.push({ seq: this.#lastSeq, progress: this.#progress, step, message: message === null ? null : this.#mask(message) });
  }

  #begin(prepared: PreparedStep, now: number): LocalEffect | null {
    const { definition: step } = prepared;
    const state = this.#steps.touch(step);
    state.attempt = prepared.attempt;
    state.startedAt ??= now;
    state.error = null;
    state.dueAt = null;
    const plan = this.#planner.plan(prepared);
    switch (plan.kind) {
      case 'load':
      case 'write':
        state.status = 'running';
        return { step: step.name, plan };
      case 'deliver':
        this.#deliver(prepared, plan, now);
        return null;
      case 'wait':
        if (plan.seconds > 0) {
          state.status = 'waiting';
          state.dueAt = now + Math.ceil(plan.seconds * 1000);
        } else this.#settle(prepared, plan.outcome, now);
        return null;
      default:
        this.#settle(prepared, plan, now);
        return null;
    }
  }

  #deliver(prepared: PreparedStep, { message, retry, outcome, remember }: Extract<StepPlan, { kind: 'deliver' }>, now: number): void {
    const { definition: step } = prepared;
    const id = deliveryIdOf(this.#runId, this.#workflow.steps.indexOf(step));
    const isAwaited = outcome === null;
    this.#deliveries ??= [];
    this.#deliveries.push({ id, step: step.name, isAwaited, origin: originOf(message), message, retry, leaseUntil: null });
    this.#planner.remember(prepared, remember);
    if (outcome === null) this.#steps.of(step).status = 'waiting';
    else this.#settle(prepared, outcome, now);
  }

  #interpret(prepared: PreparedStep, now: number): void {
    const result = this.#results?.get(prepared.step) as EffectResult;
    this.#results?.delete(prepared.step);
    const outcome = this.#planner.interpret(prepared, result);
    // How often a message is tried is the delivery's business, and over when its result is there.
    this.#settle(prepared, outcome.kind === 'failed' ? { ...outcome, retryable: false } : outcome, now);
  }

  /** A wait that is over takes its outcome from the plan, which is the same as when it began. */
  #wake(prepared: PreparedStep, now: number): void {
    const plan = this.#planner.plan(prepared);
    if (plan.kind !== 'wait') throw new Error(`step type ${prepared.stepType.type} planned a wait and now ${plan.kind}`);
    this.#settle(prepared, plan.outcome, now);
  }

  #settle(prepared: PreparedStep, outcome: StepOutcome, now: number): void {
    const { definition: step } = prepared;
    if (outcome.kind === 'failed') return this.#settleFailure(step, outcome, now);
    const { outputs, chosen, message, remember } = outcome;
    this.#planner.remember(prepared, remember);
    this.#roots.steps[step.name] = outputs;
    const state = this.#steps.decide(step, 'completed', now);
    state.outputs = outputs;
    state.chosen = chosen ?? null;
    state.error = null;
    if (this.#isEveryStepDecided()) return;
    this.#emit(progressOf(this.#steps.decided, this.#workflow.steps.length), step.name, message ?? null);
  }

  #settleFailure(step: WorkflowStep, { error, retryable }: Extract<StepOutcome, { kind: 'failed' }>, now: number): void {
    const state = this.#steps.touch(step);
    const { attempt } = state;
    state.error = { ...error, message: this.#mask(error.message) };
    if (!retryable || attempt > step.retry.maxRetries) {
      state.status = 'failed';
      state.finishedAt = now;
      state.dueAt = null;
      return this.abort({ ...error, step: step.name });
    }
    const delayMs = retryDelayMs(step.retry, attempt, this.#tools.random());
    state.status = 'waiting';
    state.dueAt = now + delayMs;
    this.#emit(this.#progress, step.name, `attempt ${attempt} failed: ${error.message}; next in ${delayMs / 1000} s`);
  }

  #isEveryStepDecided(): boolean {
    return this.#steps.decided === this.#workflow.steps.length;
  }

  #complete(): void {
    const output: Record<string, unknown> = {};
    for (const { name, value } of this.#workflow.outputs) output[name] = value(this.#roots);
    this.#emit(100);
    this.#ending = { status: 'completed', output: this.#mask(stringifyShown(output)), error: null };
  }
}
