// Advances the steps of one graph: those of a workflow, or those of one item of a list. It plans each step once its
// dependencies are met, and gives what must be stored to the turn of the run. It performs no I/O.
// Classes and no closures, because one is made for every request.

import { retryDelayMs } from '../../core/delivery/retry.ts';
import { standInFor } from '../../core/delivery/stand-in.ts';
import { isDecided, type RunError, readiness } from '../../core/run/run.ts';
import type { Images } from '../../core/uql/image.ts';
import { chosenOnSuccess } from '../../core/workflow/links.ts';
import type { WorkflowStep } from '../../core/workflow/plan.ts';
import { hasOwnOutcomeTransitions, survivesFailure } from '../../steps/step-properties.ts';
import type { EffectResult, StepOutcome, StepPlan } from '../../steps/step-type.ts';
import type { StepRecord } from '../../storage/runs/run-records.ts';
import { ForEachItems } from './items/for-each-items.ts';
import { GraphItems } from './items/graph-items.ts';
import type { RunTurn } from './items/run-turn.ts';
import { PendingLoops } from './loops.ts';
import { newDelivery } from './planned-delivery.ts';
import type { PreparedStep } from './prepared-step.ts';
import type { LocalEffect } from './program.ts';
import type { ExecutionTools, StepPlanner } from './step-planner.ts';
import { StepStates } from './step-states.ts';

const NOTHING: never[] = [];

export abstract class GraphExecution {
  protected abstract readonly turn: RunTurn;
  protected readonly tools: ExecutionTools;
  protected readonly planner: StepPlanner;
  protected readonly steps: StepStates;
  protected readonly isDry: boolean;
  /** Why no step starts any more. Null: steps start. */
  protected stopped: RunError | null = null;
  /** Stored visits of items, for the for_each steps that go on or begin. */
  protected past: readonly StepRecord[] = NOTHING;
  /** Null until a for_each step begins. */
  protected items: GraphItems | null = null;
  #loops: PendingLoops | null = null;

  constructor(tools: ExecutionTools, planner: StepPlanner, isDry: boolean, visit = 1) {
    this.tools = tools;
    this.planner = planner;
    this.steps = new StepStates(planner.run.graph.steps, visit);
    this.isDry = isDry;
  }

  protected abstract readonly isOver: boolean;
  /** All steps are decided. */
  protected abstract complete(): void;
  /** A step has failed, and nothing goes on from its failure. */
  protected abstract fail(error: RunError, now: number): void;
  /** A visit has ended. */
  protected abstract noteEnd(step: WorkflowStep, message: string | null): void;
  /** Whether the failure of an item ends the run, whatever else is in flight. */
  protected abstract failsWithItem(step: WorkflowStep): boolean;

  /** Call it once all steps are restored. */
  protected findLoops(): void {
    const { loops, steps } = this.planner.run.graph;
    if (loops !== null) this.#loops = new PendingLoops(loops, steps, this.steps);
  }

  protected get willRunAgain(): boolean {
    return this.#loops?.isWanted === true;
  }

  protected advanceSteps(now: number, effects: LocalEffect[]): boolean {
    let hasMoved = false;
    for (let isMoving = true; isMoving && !this.isOver; hasMoved ||= isMoving) {
      isMoving = this.#restartLoops(now);
      for (const step of this.planner.run.graph.steps) {
        if (this.isOver) break;
        if (!this.#move(step, now, effects)) continue;
        isMoving = true;
        this.#restartLoops(now);
      }
    }
    if (!this.isOver && this.steps.areAllDecided) this.complete();
    return hasMoved;
  }

  /** The step is planned again, as the same attempt. False if no step waits for these images. */
  protected takeImages(name: string, visit: number, images: Images): boolean {
    const state = this.steps.find(name);
    if (state === undefined) return this.items?.giveImages(name, visit, images) === true;
    if (state.visit !== visit) return false;
    this.steps.planAgain(name);
    this.planner.giveImages(name, images);
    return true;
  }

  /** Nothing new starts, and what waits for a time is skipped. */
  protected stopSteps(error: RunError, now: number): void {
    this.stopped = error;
    for (const step of this.planner.run.graph.steps) {
      const { status, dueAt } = this.steps.of(step);
      if (status === 'waiting' && dueAt !== null) this.steps.decide(step, 'skipped', now);
    }
    this.items?.stop(error, now);
  }

  /** False when the step cannot continue now. */
  #move(step: WorkflowStep, now: number, effects: LocalEffect[]): boolean {
    const { status, visit, dueAt, attempt, error } = this.steps.of(step);
    if (isDecided(status)) return false;
    if (status === 'pending') return this.#start(step, now, effects);
    if (step.items !== null) return this.#moveItems(step, now, effects);
    const hasResult = this.turn.hasResult(step.name, visit);
    const isDue = status === 'waiting' && dueAt !== null && dueAt <= now;
    if (!hasResult && !isDue) return false;
    // A due retry starts the next attempt.
    const isRetry = !hasResult && error !== null;
    const prepared = this.planner.prepare(step, this.planner.typeOf(step), { visit, attempt: isRetry ? attempt + 1 : attempt, now });
    if (prepared === null) return false;
    if (isRetry) this.#begin(prepared, now, effects);
    else if (hasResult) this.#interpret(prepared, this.turn.takeResult(step.name, visit), now);
    else this.#settle(prepared, this.planner.outcomeOfWait(prepared), now);
    return true;
  }

  #start(step: WorkflowStep, now: number, effects: LocalEffect[]): boolean {
    const { visit, attempt, startedAt } = this.steps.of(step);
    if (this.stopped !== null || (startedAt === null && this.#loops?.blocks(step) === true)) return false;
    const stepType = this.planner.typeOf(step);
    const state = readiness(step, this.steps.all, stepType.nulls === 'merge', this.planner.run.graph.loops);
    if (state === 'not_yet') return false;
    if (state === 'skip' || this.planner.isStarved(step, stepType)) {
      this.steps.decide(step, 'skipped', now);
      return true;
    }
    const prepared = this.planner.prepare(step, stepType, { visit, attempt: attempt + 1, now });
    if (prepared === null) return false;
    this.#begin(prepared, now, effects);
    return true;
  }

  /** Starts the loops that can start again now. */
  #restartLoops(now: number): boolean {
    if (this.#loops === null || this.isOver) return false;
    const returns = this.#loops.take(({ name }) => {
      delete this.planner.run.roots.steps[name];
      this.planner.forgetImages(name);
    });
    if (returns === null) return false;
    if (!Array.isArray(returns)) this.fail(returns, now);
    else for (const { by, message } of returns) this.turn.note(by, message);
    return true;
  }

  #begin(prepared: PreparedStep, now: number, effects: LocalEffect[]): void {
    const { definition: step, visit } = prepared;
    const state = this.steps.begin(step, prepared.attempt, now);
    const plan = this.planner.plan(prepared);
    switch (plan.kind) {
      case 'write':
        if (this.isDry) return this.#interpret(prepared, { kind: 'written' }, now);
        state.status = 'running';
        effects.push({ step: step.name, visit, plan });
        return;
      case 'load':
      case 'read':
        state.status = 'running';
        effects.push({ step: step.name, visit, plan });
        return;
      case 'deliver':
        return this.#deliver(prepared, plan, now);
      case 'for_each':
        if (step.items === null) return this.#settle(prepared, UNRESOLVED, now);
        state.status = 'waiting';
        this.#openItems(prepared, plan, now);
        return;
      case 'wait':
        if (plan.seconds <= 0) this.#settle(prepared, plan.outcome, now);
        else this.steps.wait(step, now + Math.ceil(plan.seconds * 1000), plan.reply?.id ?? null);
        if (plan.reply !== undefined) this.turn.note(step.name, plan.reply.message);
        return;
      default:
        this.#settle(prepared, plan, now);
    }
  }

  #deliver(prepared: PreparedStep, plan: Extract<StepPlan, { kind: 'deliver' }>, now: number): void {
    const { message, outcome, remember } = plan;
    const delivery = newDelivery(prepared, plan, this.planner.sinkId, this.isDry);
    this.turn.addDelivery(delivery);
    this.planner.remember(prepared, remember);
    if (delivery.isAwaited) this.steps.of(prepared.definition).status = 'waiting';
    else if (outcome === null) this.#interpret(prepared, standInFor(message), now);
    else this.#settle(prepared, outcome, now);
  }

  #moveItems(step: WorkflowStep, now: number, effects: LocalEffect[]): boolean {
    const { visit, attempt } = this.steps.of(step);
    const which = { visit, attempt, now };
    let items = this.items?.of(step.name);
    if (items === undefined) {
      // The run was restored: the plan is the same as at the start.
      const prepared = this.planner.prepare(step, this.planner.typeOf(step), which) as PreparedStep;
      items = this.#openItems(prepared, this.planner.plan(prepared), now);
    }
    const hasMoved = items.advance(now, effects);
    const result = items.resultOf(this.failsWithItem(step));
    if (result === null) return hasMoved;
    this.items?.end(step.name);
    const prepared = this.planner.prepare(step, this.planner.typeOf(step), which) as PreparedStep;
    this.#settle(prepared, this.planner.interpret(prepared, result), now);
    return true;
  }

  #openItems({ definition, visit }: PreparedStep, plan: StepPlan, now: number): ForEachItems {
    const { name: step, items: graph } = definition;
    if (plan.kind !== 'for_each' || graph === null) throw new Error(`step ${step} planned items and now ${plan.kind}`);
    const items = new ForEachItems(this.turn, { step, visit, graph, plan, planner: this.planner, past: this.past }, now);
    if (this.stopped !== null) items.stop(this.stopped, now);
    this.items ??= new GraphItems();
    this.items.begin(step, items);
    return items;
  }

  #interpret(prepared: PreparedStep, result: EffectResult, now: number): void {
    if (result.kind === 'replied') this.steps.takeReply(prepared.definition);
    this.#settle(prepared, this.planner.interpret(prepared, result), now);
  }

  #settle(prepared: PreparedStep, outcome: StepOutcome, now: number): void {
    if (outcome.kind === 'failed') return this.#settleFailure(prepared, outcome, now);
    const { outputs, chosen, message, remember } = outcome;
    const { definition: step, stepType } = prepared;
    this.planner.noteCompletion(prepared, remember);
    const state = this.steps.decide(step, 'completed', now);
    state.chosen =
      step.transitions === null || hasOwnOutcomeTransitions(stepType) ? (chosen ?? null) : chosenOnSuccess(step.transitions, chosen);
    state.error = null;
    this.#endVisit(step, outputs, message ?? null);
  }

  #settleFailure({ definition: step, stepType }: PreparedStep, outcome: Extract<StepOutcome, { kind: 'failed' }>, now: number): void {
    const error = { ...outcome.error, message: this.tools.mask(this.planner.run.runId, outcome.error.message) };
    const { attempt } = this.steps.of(step);
    if (outcome.retryable && attempt <= step.retry.maxRetries) {
      const delayMs = retryDelayMs(step.retry, attempt, this.tools.random());
      this.steps.postpone(step, error, now + delayMs);
      return this.turn.note(step.name, `attempt ${attempt} failed: ${error.message}; next in ${delayMs / 1000} s`);
    }
    const state = this.steps.decide(step, 'failed', now);
    state.error = error;
    if (!survivesFailure(stepType, step.written)) return this.fail({ ...error, step: step.name }, now);
    state.chosen = step.transitions?.onFailure ?? [];
    this.#endVisit(step, { error: { code: error.code, message: error.message } }, `failed: ${error.message}`);
  }

  /** Stores the outputs of a finished visit. */
  #endVisit(step: WorkflowStep, outputs: Record<string, unknown>, message: string | null): void {
    this.planner.run.roots.steps[step.name] = outputs;
    this.steps.of(step).outputs = outputs;
    this.#loops?.note(step);
    this.noteEnd(step, message);
  }
}

const UNRESOLVED: StepOutcome = {
  kind: 'failed',
  retryable: false,
  error: { code: 'not_resolved', message: 'the workflow that the step refers to was not resolved when it was saved' },
};
