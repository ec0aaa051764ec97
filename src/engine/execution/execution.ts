// One run in memory: plans each step once its dependencies are met, and collects the contents of the next commit. It
// performs no I/O: time comes as an argument, and the caller stores and sends.
// A class and no closures, because one is made for every request.

import { originOf } from '../../core/delivery/delivery.ts';
import { overflowGroup } from '../../core/delivery/overflow.ts';
import { retryDelayMs } from '../../core/delivery/retry.ts';
import { stringifyShown } from '../../core/json/stored-value.ts';
import type { Request } from '../../core/run/request.ts';
import { isDecided, progressOf, type RunError, readiness } from '../../core/run/run.ts';
import type { ProgressEvent, RunOutcome } from '../../core/run/run-event.ts';
import type { Images } from '../../core/uql/image.ts';
import { chosenOnSuccess } from '../../core/workflow/links.ts';
import type { Workflow, WorkflowStep } from '../../core/workflow/plan.ts';
import { hasOwnOutcomeTransitions, survivesFailure } from '../../steps/step-properties.ts';
import type { EffectResult, StepOutcome, StepPlan } from '../../steps/step-type.ts';
import type { NewDelivery } from '../../storage/delivery-records.ts';
import type { Turn } from '../../storage/run-records.ts';
import { PendingLoops } from './loops.ts';
import type { PreparedStep } from './prepared-step.ts';
import type { LocalEffect, Program, ProgramPast, ProgramStart } from './program.ts';
import { type ExecutionTools, StepPlanner } from './step-planner.ts';
import { StepStates } from './step-states.ts';

const NOTHING: never[] = [];

export class Execution implements Program {
  readonly #tools: ExecutionTools;
  readonly #runId: string;
  readonly #workflow: Workflow;
  readonly #steps: StepStates;
  readonly #roots: { inputs: Record<string, unknown>; request: Request; steps: Record<string, unknown> };
  readonly #planner: StepPlanner;
  readonly #loops: PendingLoops | null;
  /** By step: the result of its effect, since it was planned. */
  #results: Map<string, EffectResult> | null = null;
  #events: ProgressEvent[] = [];
  #deliveries: NewDelivery[] | null = null;
  #progress = 0;
  #lastSeq = 0;
  #ending: RunOutcome | null = null;

  /** A new run, or a run that resumes from `past`. */
  constructor(tools: ExecutionTools, { runId, sinkId, workflow, request, inputs, bodyKind, bodySize }: ProgramStart, past?: ProgramPast) {
    this.#tools = tools;
    this.#runId = runId;
    this.#workflow = workflow;
    this.#roots = { inputs, request, steps: {} };
    this.#steps = new StepStates(workflow.steps);
    const run = { runId, workflow, roots: this.#roots, bodyKind, bodySize, tools, isAnswered: past?.isAnswered === true };
    this.#planner = new StepPlanner(tools.stepTypes, run, sinkId, tools.recall);
    if (past === undefined) this.#emit(0);
    else {
      this.#progress = past.progress;
      this.#lastSeq = past.lastSeq;
      for (const record of past.steps) this.#roots.steps[record.step] = this.#steps.restore(record);
    }
    this.#loops = workflow.loops === null ? null : new PendingLoops(workflow.loops, workflow.steps, this.#steps);
  }

  advance(now: number): LocalEffect[] {
    const effects: LocalEffect[] = [];
    let isMoving = true;
    while (isMoving && this.#ending === null) {
      isMoving = this.#restartLoops();
      for (const step of this.#workflow.steps) {
        if (this.#ending !== null) break;
        const effect = this.#move(step, now);
        if (effect === undefined) continue;
        isMoving = true;
        if (effect !== null) effects.push(effect);
        this.#restartLoops();
      }
    }
    if (this.#ending === null && this.#steps.areAllDecided) this.#complete();
    return this.#ending === null ? effects : [];
  }

  get awaited(): number {
    return this.#steps.countAwaiting();
  }

  takeWantedKeys(): readonly string[] {
    return this.#planner.memory?.takeWanted() ?? NOTHING;
  }

  giveResult(step: string, result: EffectResult): void {
    this.#results = (this.#results ?? new Map()).set(step, result);
  }

  /** The step is planned again, as the same attempt. */
  giveImages(name: string, images: Images): void {
    const state = this.#steps.of(this.#workflow.steps.find((step) => step.name === name) as WorkflowStep);
    state.status = 'pending';
    state.attempt -= 1;
    this.#planner.giveImages(name, images);
  }

  abort(error: RunError): void {
    this.#ending ??= { status: 'failed', output: null, error: { ...error, message: this.#mask(error.message) } };
  }

  takeTurn(now: number): Turn {
    const ending = this.#ending;
    if (ending !== null) this.#lastSeq += 1;
    const isActing = ending === null && this.#steps.isActing();
    const turn: Turn = {
      status: ending?.status ?? (isActing ? 'running' : 'waiting'),
      progress: this.#progress,
      events: this.#events,
      lastSeq: this.#lastSeq,
      steps: this.#steps.takeRecords(),
      deliveries: this.#deliveriesOf(ending),
      memory: this.#planner.memory?.takeUses() ?? NOTHING,
      wakeAt: ending !== null || isActing ? null : this.#steps.nextDueAt(),
      output: ending?.output ?? null,
      error: ending?.error ?? null,
      at: now,
    };
    this.#events = [];
    this.#deliveries = null;
    return turn;
  }

  /** A run that has ended waits for nothing, so that it does not send what it would wait for. */
  #deliveriesOf(ending: RunOutcome | null): NewDelivery[] {
    const deliveries = this.#deliveries ?? NOTHING;
    return ending === null ? deliveries : deliveries.filter(({ isAwaited }) => !isAwaited);
  }

  #mask(text: string): string {
    return this.#tools.mask(this.#runId, text);
  }

  #emit(reached: number, step: string | null = null, message: string | null = null): void {
    this.#progress = Math.max(this.#progress, reached);
    this.#lastSeq += 1;
    this.#events.push({ seq: this.#lastSeq, progress: this.#progress, step, message: message === null ? null : this.#mask(message) });
  }

  /** Undefined when the step cannot continue now. */
  #move(step: WorkflowStep, now: number): LocalEffect | null | undefined {
    const { status, visit, dueAt, attempt, error } = this.#steps.of(step);
    if (isDecided(status)) return undefined;
    if (status === 'pending') return this.#start(step, now);
    const hasResult = this.#results?.has(step.name) === true;
    const isDue = status === 'waiting' && dueAt !== null && dueAt <= now;
    if (!hasResult && !isDue) return undefined;
    // A due retry starts the next attempt.
    const isRetry = !hasResult && error !== null;
    const prepared = this.#planner.prepare(step, this.#planner.typeOf(step), { visit, attempt: isRetry ? attempt + 1 : attempt, now });
    if (prepared === null) return undefined;
    if (isRetry) return this.#begin(prepared, now);
    if (hasResult) this.#interpret(prepared, now);
    else this.#wake(prepared, now);
    return null;
  }

  #start(step: WorkflowStep, now: number): LocalEffect | null | undefined {
    const { visit, attempt, startedAt } = this.#steps.of(step);
    if (startedAt === null && this.#loops?.blocks(step) === true) return undefined;
    const stepType = this.#planner.typeOf(step);
    const state = readiness(step, this.#steps.all, stepType.nulls === 'merge', this.#workflow.loops);
    if (state === 'not_yet') return undefined;
    if (state === 'skip' || this.#planner.isStarved(step, stepType)) {
      this.#steps.decide(step, 'skipped', now);
      return null;
    }
    const prepared = this.#planner.prepare(step, stepType, { visit, attempt: attempt + 1, now });
    return prepared === null ? undefined : this.#begin(prepared, now);
  }

  /** Starts the loops that can start again now. */
  #restartLoops(): boolean {
    if (this.#loops === null || this.#ending !== null) return false;
    const returns = this.#loops.take(({ name }) => {
      delete this.#roots.steps[name];
      this.#planner.forgetImages(name);
    });
    if (returns === null) return false;
    if (!Array.isArray(returns)) this.abort(returns);
    else for (const { by, message } of returns) this.#emit(this.#progress, by, message);
    return true;
  }

  #begin(prepared: PreparedStep, now: number): LocalEffect | null {
    const { definition: step } = prepared;
    const state = this.#steps.begin(step, prepared.attempt, now);
    const plan = this.#planner.plan(prepared);
    switch (plan.kind) {
      case 'load':
      case 'write':
      case 'read':
        state.status = 'running';
        return { step: step.name, plan };
      case 'deliver':
        this.#deliver(prepared, plan, now);
        return null;
      case 'wait':
        if (plan.seconds <= 0) this.#settle(prepared, plan.outcome, now);
        else this.#steps.wait(step, now + Math.ceil(plan.seconds * 1000), plan.reply?.id ?? null);
        if (plan.reply !== undefined) this.#emit(this.#progress, step.name, plan.reply.message);
        return null;
      default:
        this.#settle(prepared, plan, now);
        return null;
    }
  }

  #deliver(prepared: PreparedStep, plan: Extract<StepPlan, { kind: 'deliver' }>, now: number): void {
    const { deliveryId: id, step } = prepared;
    const { message, retry, outcome, remember } = plan;
    const overflow = overflowGroup(plan.overflow, this.#planner.sinkId, step);
    const isAwaited = outcome === null;
    this.#deliveries ??= [];
    this.#deliveries.push({ id, step, isAwaited, origin: originOf(message), message, retry, overflow, isLeased: false });
    this.#planner.remember(prepared, remember);
    if (isAwaited) this.#steps.of(prepared.definition).status = 'waiting';
    else this.#settle(prepared, outcome, now);
  }

  #interpret(prepared: PreparedStep, now: number): void {
    const result = this.#results?.get(prepared.step) as EffectResult;
    this.#results?.delete(prepared.step);
    if (result.kind === 'replied') this.#steps.takeReply(prepared.definition);
    const outcome = this.#planner.interpret(prepared, result);
    // The delivery retries its message by itself; its result is final.
    this.#settle(prepared, outcome.kind === 'failed' ? { ...outcome, retryable: false } : outcome, now);
  }

  /** A wait that has ended takes its outcome from its plan, which is the same as at its start. */
  #wake(prepared: PreparedStep, now: number): void {
    const plan = this.#planner.plan(prepared);
    if (plan.kind !== 'wait') throw new Error(`step type ${prepared.stepType.type} planned a wait and now ${plan.kind}`);
    this.#settle(prepared, plan.outcome, now);
  }

  #settle(prepared: PreparedStep, outcome: StepOutcome, now: number): void {
    if (outcome.kind === 'failed') return this.#settleFailure(prepared, outcome, now);
    const { outputs, chosen, message, remember } = outcome;
    const { definition: step, stepType } = prepared;
    this.#planner.noteCompletion(prepared, remember);
    const state = this.#steps.decide(step, 'completed', now);
    state.chosen =
      step.transitions === null || hasOwnOutcomeTransitions(stepType) ? (chosen ?? null) : chosenOnSuccess(step.transitions, chosen);
    state.error = null;
    this.#endVisit(step, outputs, message ?? null);
  }

  #settleFailure({ definition: step, stepType }: PreparedStep, outcome: Extract<StepOutcome, { kind: 'failed' }>, now: number): void {
    const error = { ...outcome.error, message: this.#mask(outcome.error.message) };
    const { attempt } = this.#steps.of(step);
    if (outcome.retryable && attempt <= step.retry.maxRetries) {
      const delayMs = retryDelayMs(step.retry, attempt, this.#tools.random());
      this.#steps.postpone(step, error, now + delayMs);
      return this.#emit(this.#progress, step.name, `attempt ${attempt} failed: ${error.message}; next in ${delayMs / 1000} s`);
    }
    const state = this.#steps.decide(step, 'failed', now);
    state.error = error;
    if (!survivesFailure(stepType, step.written)) return this.abort({ ...error, step: step.name });
    state.chosen = step.transitions?.onFailure ?? [];
    this.#endVisit(step, { error: { code: error.code, message: error.message } }, `failed: ${error.message}`);
  }

  /** Stores the outputs of a finished visit, and emits its progress unless the run is about to end. */
  #endVisit(step: WorkflowStep, outputs: Record<string, unknown>, message: string | null): void {
    this.#roots.steps[step.name] = outputs;
    this.#steps.of(step).outputs = outputs;
    this.#loops?.note(step);
    if (this.#steps.areAllDecided && this.#loops?.isWanted !== true) return;
    this.#emit(progressOf(this.#steps.decided, this.#workflow.steps.length), step.name, message);
  }

  #complete(): void {
    const output: Record<string, unknown> = {};
    for (const { name, value } of this.#workflow.outputs) output[name] = value(this.#roots);
    this.#emit(100);
    this.#ending = { status: 'completed', output: this.#mask(stringifyShown(output)), error: null };
  }
}
