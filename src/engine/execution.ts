// One run in memory: plans each step as soon as what it needs is there, and gathers what the next commit must say.
// It decides everything and touches nothing: time comes as an argument, sending and storing are the caller's.
// A class and no closures, because one is made for every request.

import { originOf } from '../core/delivery.ts';
import { deliveryIdOf } from '../core/delivery-id.ts';
import type { Images, ImageWant } from '../core/image.ts';
import { parseJson, stringifyJson } from '../core/json.ts';
import type { Request } from '../core/request.ts';
import { retryDelayMs } from '../core/retry.ts';
import { pendingStep, progressOf, type RunError, type RunStatus, readiness, type StepState } from '../core/run.ts';
import type { ProgressEvent } from '../core/run-event.ts';
import type { Workflow, WorkflowStep } from '../core/workflow.ts';
import type { StepTypes } from '../steps/index.ts';
import type { EffectResult, FileWrite, StepOutcome, StepPlan, StepType } from '../steps/step-type.ts';
import type { MemoryUse, NewDelivery, RunChange, StepRecord } from '../storage/storage.ts';
import { PlanContext, type SecretPlaceholder } from './plan-context.ts';
import type { MemoryEntry } from './step-memory.ts';

export interface ExecutionTools {
  stepTypes: StepTypes;
  /** In [0, 1), for retry jitter. */
  random: () => number;
  /** What the steps of a sink remember; undefined where it must be loaded first. */
  recall: (sinkId: string, key: string) => MemoryEntry | undefined;
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

interface Ending {
  status: RunStatus;
  output: string | null;
  error: RunError | null;
}

type Completed = Extract<StepOutcome, { kind: 'completed' }>;

export class Execution {
  readonly #tools: ExecutionTools;
  readonly #runId: string;
  readonly #sinkId: string;
  readonly #workflow: Workflow;
  readonly #states = new Map<string, StepState>();
  readonly #roots: { inputs: Record<string, unknown>; request: Request; steps: Record<string, unknown> };
  #changed: WorkflowStep[] = [];
  /** Steps that are completed or skipped. */
  #decided = 0;
  #events: ProgressEvent[] = [];
  #progress = 0;
  #lastSeq = 0;
  #ending: Ending | null = null;
  #deliveries: NewDelivery[] = [];
  /** What was read and written of the sink's memory since the last change; null until a step remembers something. */
  #memory: Map<string, MemoryUse & { current: unknown }> | null = null;
  #wantedKeys: string[] = [];
  #images: Map<string, Images> | null = null;
  #results: Map<string, EffectResult> | null = null;

  /** A new run, or with `past` one that is taken up. */
  constructor(tools: ExecutionTools, { runId, sinkId, workflow, request, inputs }: ExecutionStart, past?: ExecutionPast) {
    this.#tools = tools;
    this.#runId = runId;
    this.#sinkId = sinkId;
    this.#workflow = workflow;
    this.#roots = { inputs, request, steps: {} };
    for (const { name } of workflow.steps) this.#states.set(name, pendingStep());
    if (past === undefined) this.#emit(0);
    else this.#restore(past);
  }

  /** Runs every step that can run at `now`; returns what is to be done here once the change is on disk. */
  advance(now: number): LocalEffect[] {
    const effects: LocalEffect[] = [];
    let isMoving = true;
    while (isMoving && this.#ending === null) {
      isMoving = false;
      for (const step of this.#workflow.steps) {
        if (this.#ending !== null) break;
        const { status, dueAt } = this.#stateOf(step);
        let effect: LocalEffect | null;
        if (status === 'pending') {
          const stepType = this.#typeOf(step);
          const state = readiness(step, this.#states, stepType.acceptsNull === true);
          if (state === 'not_yet') continue;
          if (state === 'skip' || this.#isStarved(step, stepType)) {
            this.#decide(step, 'skipped', now);
            effect = null;
          } else if (this.#lacksMemory(step, stepType)) continue;
          else effect = this.#begin(step, stepType, now);
        } else if (this.#results?.has(step.name) === true) {
          if (this.#lacksMemory(step, this.#typeOf(step))) continue;
          this.#interpret(step, now);
          effect = null;
        } else if (status === 'waiting' && dueAt !== null && dueAt <= now) {
          if (this.#lacksMemory(step, this.#typeOf(step))) continue;
          effect = this.#wake(step, now);
        } else continue;
        isMoving = true;
        if (effect !== null) effects.push(effect);
      }
    }
    if (this.#ending === null && this.#isEveryStepDecided()) this.#complete();
    return this.#ending === null ? effects : [];
  }

  /** Keys of the sink's memory without which some step could not be planned; told once. */
  takeWantedKeys(): readonly string[] {
    const keys = this.#wantedKeys;
    if (keys.length > 0) this.#wantedKeys = [];
    return keys;
  }

  /** Takes in what came of a step's delivery or local effect, for the next advance. */
  giveResult(step: string, result: EffectResult): void {
    this.#results = (this.#results ?? new Map()).set(step, result);
  }

  /** The images that a step asked for are there: it is planned again, as the same try. */
  giveImages(name: string, images: Images): void {
    const step = this.#workflow.steps.find((candidate) => candidate.name === name) as WorkflowStep;
    const state = this.#stateOf(step);
    state.status = 'pending';
    state.attempt -= 1;
    this.#images = (this.#images ?? new Map()).set(name, images);
  }

  /** Ends the run at once, as failed. */
  abort(error: RunError): void {
    this.#ending ??= { status: 'failed', output: null, error: { ...error, message: this.#tools.mask(this.#runId, error.message) } };
  }

  /** When the next waiting step is due; null when none waits for a time. */
  nextDueAt(): number | null {
    let nearest: number | null = null;
    for (const { status, dueAt } of this.#states.values()) {
      if (status === 'waiting' && dueAt !== null) nearest = Math.min(nearest ?? dueAt, dueAt);
    }
    return nearest;
  }

  /** What happened since the last call. `leaseUntil` is when a run that goes on here must be looked at. */
  takeChange(leaseUntil: number, now: number): RunChange {
    const ending = this.#ending;
    if (ending !== null) this.#lastSeq += 1;
    const steps: StepRecord[] = [];
    for (const step of this.#changed) steps.push(toRecord(step, this.#stateOf(step)));
    const isActing = ending === null && this.#isActing();
    const change: RunChange = {
      status: ending?.status ?? (isActing ? 'running' : 'waiting'),
      progress: this.#progress,
      events: this.#events,
      lastSeq: this.#lastSeq,
      steps,
      deliveries: this.#deliveries,
      memory: this.#memory === null ? NO_MEMORY : [...this.#memory.values()].map(({ key, version, value }) => ({ key, version, value })),
      wakeAt: ending !== null ? null : isActing ? leaseUntil : this.nextDueAt(),
      output: ending?.output ?? null,
      error: ending?.error ?? null,
      at: now,
    };
    this.#events = [];
    this.#changed = [];
    this.#deliveries = [];
    this.#memory = null;
    return change;
  }

  /** Whether some step does something in this process. */
  #isActing(): boolean {
    for (const { status } of this.#states.values()) if (status === 'running') return true;
    return false;
  }

  #restore({ steps, progress, lastSeq }: ExecutionPast): void {
    this.#progress = progress;
    this.#lastSeq = lastSeq;
    for (const { step, type: _type, outputs: text, ...record } of steps) {
      const outputs = text === null ? null : (parseJson(text) as Record<string, unknown>);
      this.#states.set(step, { ...record, outputs });
      this.#roots.steps[step] = outputs;
      if (record.status === 'completed' || record.status === 'skipped') this.#decided += 1;
      // A step that was interrupted while it acted is planned again, as the same try.
      if (record.status === 'running') this.#states.set(step, { ...record, outputs, status: 'pending', attempt: record.attempt - 1 });
    }
  }

  #emit(reached: number, step: string | null = null, message: string | null = null): void {
    this.#progress = Math.max(this.#progress, reached);
    this.#lastSeq += 1;
    this.#events.push({
      seq: this.#lastSeq,
      progress: this.#progress,
      step,
      message: message === null ? null : this.#tools.mask(this.#runId, message),
    });
  }

  #stateOf(step: WorkflowStep): StepState {
    return this.#states.get(step.name) as StepState;
  }

  #typeOf(step: WorkflowStep): StepType {
    const stepType = this.#tools.stepTypes.find(step.type);
    if (stepType === undefined) throw new Error(`step type ${step.type} is not installed`);
    return stepType;
  }

  #manifestOf(step: WorkflowStep): Record<string, unknown> {
    return step.manifest(this.#roots) as Record<string, unknown>;
  }

  #contextOf(step: WorkflowStep, stepType: StepType, now: number): PlanContext {
    const { attempt } = this.#stateOf(step);
    const key = stepType.memoryKey === undefined ? null : this.#memoryKeyOf(step, stepType);
    const memory = key === null ? null : this.#recall(key);
    return new PlanContext(
      { runId: this.#runId, roots: this.#roots, placeholder: this.#tools.placeholder },
      { name: step.name, no: this.#workflow.steps.indexOf(step), attempt, memory, images: this.#images?.get(step.name) },
      now,
    );
  }

  #touch(step: WorkflowStep): StepState {
    if (!this.#changed.includes(step)) this.#changed.push(step);
    return this.#stateOf(step);
  }

  #decide(step: WorkflowStep, status: 'completed' | 'skipped', now: number): StepState {
    const state = this.#touch(step);
    state.status = status;
    state.finishedAt = now;
    state.dueAt = null;
    this.#decided += 1;
    return state;
  }

  /** A step that selects nothing where another step's output should be is skipped, as Roboflow does. */
  #isStarved(step: WorkflowStep, stepType: StepType): boolean {
    if (step.stepSelectors.length === 0 || stepType.acceptsNull === true) return false;
    return step.stepSelectors.some((select) => select(this.#roots) === null);
  }

  #memoryKeyOf(step: WorkflowStep, stepType: StepType): string | null {
    return stepType.memoryKey?.(this.#manifestOf(step), { step: step.name }) ?? null;
  }

  /** Notes what must be loaded before the step can be planned. */
  #lacksMemory(step: WorkflowStep, stepType: StepType): boolean {
    if (stepType.memoryKey === undefined) return false;
    const key = this.#memoryKeyOf(step, stepType);
    if (key === null || this.#memory?.has(key) === true || this.#tools.recall(this.#sinkId, key) !== undefined) return false;
    this.#wantedKeys.push(key);
    return true;
  }

  #recall(key: string): unknown {
    const known = this.#memory?.get(key);
    if (known !== undefined) return known.current;
    const entry = this.#tools.recall(this.#sinkId, key);
    if (entry === undefined) return null;
    this.#memory ??= new Map();
    this.#memory.set(key, { key, version: entry.version, value: null, current: entry.value });
    return entry.value;
  }

  #remember(step: WorkflowStep, stepType: StepType, value: unknown): void {
    if (value === undefined) return;
    const key = this.#memoryKeyOf(step, stepType);
    const use = key === null ? undefined : this.#memory?.get(key);
    if (use === undefined) throw new Error(`step type ${step.type} remembers something without a key`);
    use.value = stringifyJson(value);
    use.current = value;
  }

  #begin(step: WorkflowStep, stepType: StepType, now: number): LocalEffect | null {
    const state = this.#touch(step);
    state.attempt += 1;
    state.startedAt ??= now;
    state.error = null;
    const plan = stepType.plan(this.#manifestOf(step), this.#contextOf(step, stepType, now));
    switch (plan.kind) {
      case 'load':
      case 'write':
        state.status = 'running';
        state.dueAt = null;
        return { step: step.name, plan };
      case 'deliver':
        this.#remember(step, stepType, plan.remember);
        this.#deliver(step, plan, now);
        return null;
      case 'wait':
        if (plan.seconds > 0) {
          state.status = 'waiting';
          state.dueAt = now + Math.ceil(plan.seconds * 1000);
        } else this.#settle(step, plan.outcome, now);
        return null;
      default:
        this.#settle(step, plan, now);
        return null;
    }
  }

  #interpret(step: WorkflowStep, now: number): void {
    const stepType = this.#typeOf(step);
    const result = this.#results?.get(step.name) as EffectResult;
    this.#results?.delete(step.name);
    if (stepType.interpret === undefined) throw new Error(`step type ${step.type} cannot interpret a result`);
    const outcome = stepType.interpret(this.#manifestOf(step), result, this.#contextOf(step, stepType, now));
    // How often a message is tried is the delivery's business, and over when its result is there.
    this.#settle(step, outcome.kind === 'failed' ? { ...outcome, retryable: false } : outcome, now);
  }

  #deliver(step: WorkflowStep, { message, retry, outcome }: Extract<StepPlan, { kind: 'deliver' }>, now: number): void {
    const id = deliveryIdOf(this.#runId, this.#workflow.steps.indexOf(step));
    const isAwaited = outcome === null;
    this.#deliveries.push({ id, step: step.name, isAwaited, origin: originOf(message), message, retry, leaseUntil: null });
    if (outcome !== null) return this.#settle(step, outcome, now);
    const state = this.#stateOf(step);
    state.status = 'waiting';
    state.dueAt = null;
  }

  /** A wait that is over takes its outcome from the plan, which is the same as when it began. */
  #wake(step: WorkflowStep, now: number): LocalEffect | null {
    const stepType = this.#typeOf(step);
    if (this.#stateOf(step).error !== null) return this.#begin(step, stepType, now);
    const plan = stepType.plan(this.#manifestOf(step), this.#contextOf(step, stepType, now));
    if (plan.kind !== 'wait') throw new Error(`step type ${step.type} planned a wait and now ${plan.kind}`);
    this.#settle(step, plan.outcome, now);
    return null;
  }

  #settle(step: WorkflowStep, outcome: StepOutcome, now: number): void {
    if (outcome.kind === 'failed') return this.#settleFailure(step, outcome, now);
    this.#settleSuccess(step, outcome, now);
  }

  #settleSuccess(step: WorkflowStep, { outputs, chosen = null, message, remember }: Completed, now: number): void {
    if (remember !== undefined) this.#remember(step, this.#typeOf(step), remember);
    this.#roots.steps[step.name] = outputs;
    const state = this.#decide(step, 'completed', now);
    state.outputs = outputs;
    state.chosen = chosen;
    state.error = null;
    if (this.#isEveryStepDecided()) return;
    this.#emit(progressOf(this.#decided, this.#workflow.steps.length), step.name, message ?? null);
  }

  #settleFailure(step: WorkflowStep, { error, retryable }: Extract<StepOutcome, { kind: 'failed' }>, now: number): void {
    const state = this.#touch(step);
    const { attempt } = state;
    state.error = error;
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
    return this.#decided === this.#workflow.steps.length;
  }

  #complete(): void {
    const output: Record<string, unknown> = {};
    for (const { name, value } of this.#workflow.outputs) output[name] = value(this.#roots);
    this.#emit(100);
    this.#ending = { status: 'completed', output: this.#tools.mask(this.#runId, stringifyJson(output)), error: null };
  }
}

const NO_MEMORY: MemoryUse[] = [];

function toRecord({ name, type }: WorkflowStep, state: StepState): StepRecord {
  const { status, attempt, outputs, chosen, error, startedAt, finishedAt, dueAt } = state;
  const text = outputs === null ? null : stringifyJson(outputs);
  return { step: name, type, status, attempt, outputs: text, chosen, error, startedAt, finishedAt, dueAt };
}
