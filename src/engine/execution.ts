// One run in memory: plans each step as soon as what it needs is there, and gathers what the next commit must say.
// It decides everything and touches nothing: time comes as an argument, sending and storing are the caller's.
// A class and no closures, because one is made for every request.

import { parseJson, stringifyJson } from '../core/json.ts';
import type { Request } from '../core/request.ts';
import { retryDelayMs } from '../core/retry.ts';
import { pendingStep, progressOf, type RunError, type RunStatus, readiness, type StepState } from '../core/run.ts';
import type { ProgressEvent } from '../core/run-event.ts';
import type { Workflow, WorkflowStep } from '../core/workflow.ts';
import type { StepTypes } from '../steps/index.ts';
import type { OutboundRequest, OutboundResult, StepContext, StepOutcome, StepPlan, StepType } from '../steps/step-type.ts';
import type { RunChange, StepRecord } from '../storage/storage.ts';

export interface ExecutionTools {
  stepTypes: StepTypes;
  /** In [0, 1), for retry jitter. */
  random: () => number;
}

export interface ExecutionStart {
  runId: string;
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

export interface PlannedSend {
  step: string;
  request: OutboundRequest;
  /** The same for every try of this step of this run. */
  idempotencyKey: string;
}

interface Ending {
  status: RunStatus;
  output: string | null;
  error: RunError | null;
}

interface Planned {
  plan: StepPlan;
  stepType: StepType;
  manifest: Record<string, unknown>;
  context: StepContext;
}

export class Execution {
  readonly #tools: ExecutionTools;
  readonly #runId: string;
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

  /** A new run, or with `past` one that is taken up. */
  constructor(tools: ExecutionTools, { runId, workflow, request, inputs }: ExecutionStart, past?: ExecutionPast) {
    this.#tools = tools;
    this.#runId = runId;
    this.#workflow = workflow;
    this.#roots = { inputs, request, steps: {} };
    for (const { name } of workflow.steps) this.#states.set(name, pendingStep());
    if (past === undefined) this.#emit(0);
    else this.#restore(past);
  }

  /** Runs every step that can run at `now`; returns the messages to send once the change is on disk. */
  advance(now: number): PlannedSend[] {
    const sends: PlannedSend[] = [];
    let isMoving = true;
    while (isMoving && this.#ending === null) {
      isMoving = false;
      for (const step of this.#workflow.steps) {
        if (this.#ending !== null) break;
        const { status, dueAt } = this.#stateOf(step);
        let send: PlannedSend | null;
        if (status === 'pending') {
          const state = readiness(step, this.#states);
          if (state === 'not_yet') continue;
          send = state === 'ready' ? this.#begin(step, now) : this.#skip(step, now);
        } else if (status === 'waiting' && (dueAt ?? 0) <= now) send = this.#wake(step, now);
        else continue;
        isMoving = true;
        if (send !== null) sends.push(send);
      }
    }
    if (this.#ending === null && this.#isEveryStepDecided()) this.#complete();
    return this.#ending === null ? sends : [];
  }

  /** Takes in what came of a send. */
  settleSend(name: string, result: OutboundResult, now: number): void {
    const step = this.#workflow.steps.find((candidate) => candidate.name === name) as WorkflowStep;
    const { stepType, manifest, context } = this.#plan(step, this.#stateOf(step).attempt);
    if (stepType.interpret === undefined) throw new Error(`step type ${step.type} sends but cannot interpret`);
    this.#settle(step, stepType.interpret(manifest, result, context), now);
  }

  /** Ends the run at once, as failed. */
  abort(error: RunError): void {
    this.#ending ??= { status: 'failed', output: null, error };
  }

  /** When the next waiting step is due; null when none waits. */
  nextDueAt(): number | null {
    let nearest: number | null = null;
    for (const { status, dueAt } of this.#states.values()) {
      if (status === 'waiting' && dueAt !== null) nearest = Math.min(nearest ?? dueAt, dueAt);
    }
    return nearest;
  }

  /** What happened since the last call. `leaseUntil` is when a run that goes on must be looked at. */
  takeChange(leaseUntil: number, now: number): RunChange {
    const ending = this.#ending;
    if (ending !== null) this.#lastSeq += 1;
    const steps: StepRecord[] = [];
    for (const step of this.#changed) steps.push(toRecord(step, this.#stateOf(step)));
    const isSending = ending === null && this.#isSending();
    const change: RunChange = {
      status: ending?.status ?? (isSending ? 'running' : 'waiting'),
      progress: this.#progress,
      events: this.#events,
      lastSeq: this.#lastSeq,
      steps,
      wakeAt: ending !== null ? null : isSending ? leaseUntil : this.nextDueAt(),
      output: ending?.output ?? null,
      error: ending?.error ?? null,
      at: now,
    };
    this.#events = [];
    this.#changed = [];
    return change;
  }

  #isSending(): boolean {
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
      // A step that was interrupted while it sent is planned again, as the same try.
      if (record.status === 'running') this.#states.set(step, { ...record, outputs, status: 'pending', attempt: record.attempt - 1 });
    }
  }

  #emit(reached: number, step: string | null = null, message: string | null = null): void {
    this.#progress = Math.max(this.#progress, reached);
    this.#lastSeq += 1;
    this.#events.push({ seq: this.#lastSeq, progress: this.#progress, step, message });
  }

  #stateOf(step: WorkflowStep): StepState {
    return this.#states.get(step.name) as StepState;
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

  #plan(step: WorkflowStep, attempt: number): Planned {
    const stepType = this.#tools.stepTypes.find(step.type);
    if (stepType === undefined) throw new Error(`step type ${step.type} is not installed`);
    const manifest = step.manifest(this.#roots) as Record<string, unknown>;
    const context = { attempt, roots: this.#roots };
    return { plan: stepType.plan(manifest, context), stepType, manifest, context };
  }

  #begin(step: WorkflowStep, now: number): PlannedSend | null {
    const state = this.#touch(step);
    state.attempt += 1;
    state.startedAt ??= now;
    state.error = null;
    const { plan } = this.#plan(step, state.attempt);
    if (plan.kind === 'send') {
      state.status = 'running';
      state.dueAt = null;
      return { step: step.name, request: plan.request, idempotencyKey: `${this.#runId}:${step.name}` };
    }
    if (plan.kind === 'wait' && plan.seconds > 0) {
      state.status = 'waiting';
      state.dueAt = now + Math.ceil(plan.seconds * 1000);
    } else this.#settle(step, plan.kind === 'wait' ? plan.outcome : plan, now);
    return null;
  }

  #skip(step: WorkflowStep, now: number): null {
    this.#decide(step, 'skipped', now);
    return null;
  }

  /** A wait that is over takes its outcome from the plan, which is the same as when it began. */
  #wake(step: WorkflowStep, now: number): PlannedSend | null {
    const { error, attempt } = this.#stateOf(step);
    if (error !== null) return this.#begin(step, now);
    const { plan } = this.#plan(step, attempt);
    if (plan.kind !== 'wait') throw new Error(`step type ${step.type} planned a wait and now ${plan.kind}`);
    this.#settle(step, plan.outcome, now);
    return null;
  }

  #settle(step: WorkflowStep, outcome: StepOutcome, now: number): void {
    if (outcome.kind === 'failed') return this.#settleFailure(step, outcome, now);
    const { outputs, chosen = null, message } = outcome;
    this.#roots.steps[step.name] = outputs;
    const state = this.#decide(step, 'completed', now);
    state.outputs = outputs;
    state.chosen = chosen;
    state.error = null;
    if (this.#isEveryStepDecided()) return;
    this.#emit(progressOf(this.#decided, this.#workflow.steps.length), step.name, message);
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
    this.#ending = { status: 'completed', output: stringifyJson(output), error: null };
  }
}

function toRecord({ name, type }: WorkflowStep, state: StepState): StepRecord {
  const { status, attempt, outputs, chosen, error, startedAt, finishedAt, dueAt } = state;
  const text = outputs === null ? null : stringifyJson(outputs);
  return { step: name, type, status, attempt, outputs: text, chosen, error, startedAt, finishedAt, dueAt };
}
