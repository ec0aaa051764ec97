// One run in memory: plans each step once its dependencies are met, and collects the contents of the next commit. It
// performs no I/O: time comes as an argument, and the caller stores and sends.
// A class and no closures, because one is made for every request.

import { retryDelayMs } from '../../core/delivery/retry.ts';
import { standInFor } from '../../core/delivery/stand-in.ts';
import { stringifyShown } from '../../core/json/stored-value.ts';
import type { Request } from '../../core/run/request.ts';
import { isDecided, progressOf, type RunError, readiness } from '../../core/run/run.ts';
import { isAnswer } from '../../core/run/run-answer.ts';
import type { ProgressEvent, RunOutcome } from '../../core/run/run-event.ts';
import type { Images } from '../../core/uql/image.ts';
import { chosenOnSuccess } from '../../core/workflow/links.ts';
import { outputsOf, type Workflow, type WorkflowStep } from '../../core/workflow/plan.ts';
import { hasOwnOutcomeTransitions, survivesFailure } from '../../steps/step-properties.ts';
import type { EffectResult, StepOutcome, StepPlan } from '../../steps/step-type.ts';
import type { NewDelivery } from '../../storage/delivery-records.ts';
import type { Turn } from '../../storage/run-records.ts';
import { PendingLoops } from './loops.ts';
import { newDelivery, wantedAtEnd } from './planned-delivery.ts';
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
  readonly #isDry: boolean;
  readonly #loops: PendingLoops | null;
  /** By step: the result of its effect, since it was planned. */
  #results: Map<string, EffectResult> | null = null;
  #events: ProgressEvent[] = [];
  #deliveries: NewDelivery[] | null = null;
  #progress = 0;
  #lastSeq = 0;
  #ending: RunOutcome | null = null;

  /** A new run, or a run that resumes from `past`. */
  constructor(tools: ExecutionTools, start: ProgramStart, past?: ProgramPast) {
    const { runId, sinkId, workflow, request, inputs, bodyKind, bodySize, isDry, kept } = start;
    this.#tools = tools;
    this.#runId = runId;
    this.#workflow = workflow;
    this.#isDry = isDry;
    this.#roots = { inputs, request, steps: {} };
    this.#steps = new StepStates(workflow.steps);
    const isAnswered = past?.isAnswered === true || kept?.steps.some(isAnswer) === true;
    const run = { runId, workflow, roots: this.#roots, bodyKind, bodySize, tools, isAnswered };
    this.#planner = new StepPlanner(tools.stepTypes, run, sinkId, tools.recall);
    if (kept !== null) {
      this.#roots.steps = this.#steps.adopt(workflow.steps, kept.steps);
      for (const { step, result } of kept.results) this.giveResult(step, result);
    }
    if (past === undefined) this.#emit(progressOf(this.#steps.decided, workflow.steps.length));
    else {
      [this.#progress, this.#lastSeq] = [past.progress, past.lastSeq];
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
    this.#steps.planAgain(name);
    this.#planner.giveImages(name, images);
  }

  abort(error: RunError): void {
    this.#ending ??= { status: 'failed', output: null, error: { ...error, message: this.#mask(error.message) } };
  }

  takeTurn(now: number): Turn {
    const ending = this.#ending;
    if (ending !== null) this.#lastSeq += 1;
    const isActing = ending === null && this.#steps.isActing();
    const deliveries = this.#deliveries ?? NOTHING;
    const turn: Turn = {
      status: ending?.status ?? (isActing ? 'running' : 'waiting'),
      progress: this.#progress,
      events: this.#events,
      lastSeq: this.#lastSeq,
      steps: this.#steps.takeRecords(),
      deliveries: ending === null ? deliveries : wantedAtEnd(deliveries),
      memory: this.#isDry ? NOTHING : (this.#planner.memory?.takeUses() ?? NOTHING),
      wakeAt: ending !== null || isActing ? null : this.#steps.nextDueAt(),
      output: ending?.output ?? null,
      error: ending?.error ?? null,
      at: now,
    };
    this.#events = [];
    this.#deliveries = null;
    return turn;
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
    else this.#settle(prepared, this.#planner.outcomeOfWait(prepared), now);
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
      case 'write':
        if (this.#isDry) return this.#standIn(prepared, { kind: 'written' }, now);
        state.status = 'running';
        return { step: step.name, plan };
      case 'load':
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
    const { message, outcome, remember } = plan;
    const delivery = newDelivery(prepared, plan, this.#planner.sinkId, this.#isDry);
    this.#deliveries ??= [];
    this.#deliveries.push(delivery);
    this.#planner.remember(prepared, remember);
    if (delivery.isAwaited) this.#steps.of(prepared.definition).status = 'waiting';
    else if (outcome === null) this.#standIn(prepared, standInFor(message), now);
    else this.#settle(prepared, outcome, now);
  }

  /** The result of an effect that a dry run leaves out. */
  #standIn(prepared: PreparedStep, result: EffectResult, now: number): null {
    this.giveResult(prepared.step, result);
    this.#interpret(prepared, now);
    return null;
  }

  #interpret(prepared: PreparedStep, now: number): void {
    const result = this.#results?.get(prepared.step) as EffectResult;
    this.#results?.delete(prepared.step);
    if (result.kind === 'replied') this.#steps.takeReply(prepared.definition);
    this.#settle(prepared, this.#planner.interpret(prepared, result), now);
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
    const output = outputsOf(this.#workflow, this.#roots);
    this.#emit(100);
    this.#ending = { status: 'completed', output: this.#mask(stringifyShown(output)), error: null };
  }
}
