// One run in memory: plans each step as soon as what it needs is there, and gathers what the next commit must say.
// It decides everything and touches nothing: time comes as an argument, sending and storing are the caller's.

import { resolveBindings, select } from '../core/bindings.ts';
import { parseJson, stringifyJson } from '../core/json.ts';
import type { Request } from '../core/request.ts';
import { retryDelayMs } from '../core/retry.ts';
import { PENDING_STEP, progressOf, type RunError, type RunStatus, readiness, type StepState } from '../core/run.ts';
import { type ProgressDetail, progressData, type RunEvent, terminalData } from '../core/run-event.ts';
import type { Workflow, WorkflowStep } from '../core/workflow.ts';
import type { StepTypes } from '../steps/index.ts';
import type { OutboundRequest, OutboundResult, StepContext, StepOutcome, StepPlan, StepType } from '../steps/step-type.ts';
import type { RunChange, StepRecord } from '../storage/storage.ts';

export interface ExecutionStart {
  runId: string;
  workflow: Workflow;
  request: Request;
  inputs: Record<string, unknown>;
  /** Where an earlier owner of the run left it. */
  resumed?: { steps: StepRecord[]; progress: number; lastSeq: number };
}

export interface PlannedSend {
  step: string;
  request: OutboundRequest;
  /** The same for every try of this step of this run. */
  idempotencyKey: string;
}

export interface Execution {
  /** Runs every step that can run at `now`; returns the messages to send once the change is on disk. */
  advance(now: number): PlannedSend[];
  /** Takes in what came of a send. */
  settleSend(step: string, result: OutboundResult, now: number): void;
  /** Ends the run at once, as failed. */
  abort(error: RunError): void;
  /** What happened since the last call. `leaseUntil` is when a run that goes on must be looked at. */
  takeChange(leaseUntil: number, now: number): RunChange;
}

export interface ExecutionTools {
  stepTypes: StepTypes;
  /** In [0, 1), for retry jitter. */
  random: () => number;
}

type Ending = { status: RunStatus; output: string | null; error: RunError | null };

export function createExecution({ stepTypes, random }: ExecutionTools, start: ExecutionStart): Execution {
  const { runId, workflow, request, inputs } = start;
  const states = new Map<string, StepState>(workflow.steps.map(({ name }) => [name, { ...PENDING_STEP }]));
  const outputs: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  const roots = { inputs, request, steps: outputs };
  const changed = new Set<WorkflowStep>();
  let progress = 0;
  let lastSeq = 0;
  let events: RunEvent[] = [];
  let ending: Ending | null = null;

  if (start.resumed === undefined) emit(0);
  else resume(start.resumed);

  function resume({ steps, progress: reached, lastSeq: seq }: NonNullable<ExecutionStart['resumed']>): void {
    progress = reached;
    lastSeq = seq;
    for (const { step, outputs: text, ...record } of steps) {
      const values = text === null ? null : (parseJson(text) as Record<string, unknown>);
      // A step that was interrupted while it sent is planned again, as the same try.
      const isInterrupted = record.status === 'running';
      states.set(step, { ...record, outputs: values, ...(isInterrupted ? { status: 'pending', attempt: record.attempt - 1 } : {}) });
      outputs[step] = values;
    }
  }

  function emit(reached: number, detail?: ProgressDetail): void {
    progress = Math.max(progress, reached);
    lastSeq += 1;
    events.push({ seq: lastSeq, data: progressData(runId, progress, detail) });
  }

  function stateOf(step: WorkflowStep): StepState {
    return states.get(step.name) as StepState;
  }

  function update(step: WorkflowStep, change: Partial<StepState>): void {
    states.set(step.name, { ...stateOf(step), ...change });
    changed.add(step);
  }

  function plan(
    step: WorkflowStep,
    attempt: number,
  ): { plan: StepPlan; stepType: StepType; manifest: Record<string, unknown>; context: StepContext } {
    const stepType = stepTypes.find(step.type);
    if (stepType === undefined) throw new Error(`step type ${step.type} is not installed`);
    const manifest = resolveBindings(step.manifest, roots) as Record<string, unknown>;
    const context = { attempt, roots };
    return { plan: stepType.plan(manifest, context), stepType, manifest, context };
  }

  function begin(step: WorkflowStep, now: number): PlannedSend | null {
    const attempt = stateOf(step).attempt + 1;
    const { plan: next } = plan(step, attempt);
    const started = { attempt, startedAt: stateOf(step).startedAt ?? now, error: null };
    if (next.kind === 'wait' && next.seconds > 0) {
      update(step, { ...started, status: 'waiting', dueAt: now + Math.ceil(next.seconds * 1000) });
      return null;
    }
    if (next.kind === 'send') {
      update(step, { ...started, status: 'running', dueAt: null });
      return { step: step.name, request: next.request, idempotencyKey: `${runId}:${step.name}` };
    }
    update(step, started);
    settle(step, next.kind === 'wait' ? next.outcome : next, now);
    return null;
  }

  /** A wait that is over takes its outcome from the plan, which is the same as when it began. */
  function wake(step: WorkflowStep, now: number): PlannedSend | null {
    const { error, attempt } = stateOf(step);
    if (error !== null) return begin(step, now);
    const { plan: waited } = plan(step, attempt);
    if (waited.kind !== 'wait') throw new Error(`step type ${step.type} planned a wait and now ${waited.kind}`);
    settle(step, waited.outcome, now);
    return null;
  }

  function settle(step: WorkflowStep, outcome: StepOutcome, now: number): void {
    if (outcome.kind === 'failed') return settleFailure(step, outcome, now);
    outputs[step.name] = outcome.outputs;
    update(step, {
      status: 'completed',
      outputs: outcome.outputs,
      chosen: outcome.chosen ?? null,
      error: null,
      finishedAt: now,
      dueAt: null,
    });
    if (isEveryStepDecided()) return;
    emit(progressOf(workflow, states), { step: step.name, ...(outcome.message === undefined ? {} : { message: outcome.message }) });
  }

  function settleFailure(step: WorkflowStep, { error, retryable }: Extract<StepOutcome, { kind: 'failed' }>, now: number): void {
    const { attempt } = stateOf(step);
    if (!retryable || attempt > step.retry.maxRetries) {
      update(step, { status: 'failed', error, finishedAt: now, dueAt: null });
      abort({ ...error, step: step.name });
      return;
    }
    const delayMs = retryDelayMs(step.retry, attempt, random());
    update(step, { status: 'waiting', error, dueAt: now + delayMs });
    emit(progress, { step: step.name, message: `attempt ${attempt} failed: ${error.message}; next in ${delayMs / 1000} s` });
  }

  function abort(error: RunError): void {
    ending ??= { status: 'failed', output: null, error };
  }

  function isEveryStepDecided(): boolean {
    for (const { status } of states.values()) if (status !== 'completed' && status !== 'skipped') return false;
    return true;
  }

  function complete(): void {
    const output = Object.fromEntries(workflow.outputs.map(({ name, selector }) => [name, select(selector, roots)]));
    emit(100);
    ending = { status: 'completed', output: stringifyJson(output), error: null };
  }

  function advance(now: number): PlannedSend[] {
    const sends: PlannedSend[] = [];
    let isMoving = true;
    while (isMoving && ending === null) {
      isMoving = false;
      for (const step of workflow.steps) {
        if (ending !== null) break;
        const { status, dueAt } = stateOf(step);
        let send: PlannedSend | null = null;
        if (status === 'waiting' && (dueAt ?? 0) <= now) send = wake(step, now);
        else if (status !== 'pending') continue;
        else {
          const state = readiness(step, states);
          if (state === 'not_yet') continue;
          if (state === 'skip') update(step, { status: 'skipped', finishedAt: now });
          else send = begin(step, now);
        }
        isMoving = true;
        if (send !== null) sends.push(send);
      }
    }
    if (ending === null && isEveryStepDecided()) complete();
    return ending === null ? sends : [];
  }

  return {
    advance,
    abort,
    settleSend(name, result, now) {
      const step = workflow.steps.find((candidate) => candidate.name === name) as WorkflowStep;
      const { stepType, manifest, context } = plan(step, stateOf(step).attempt);
      if (stepType.interpret === undefined) throw new Error(`step type ${step.type} sends but cannot interpret`);
      settle(step, stepType.interpret(manifest, result, context), now);
    },
    takeChange(leaseUntil, now) {
      const isSending = [...states.values()].some(({ status }) => status === 'running');
      const dueTimes = [...states.values()].filter(({ status }) => status === 'waiting').map(({ dueAt }) => dueAt as number);
      const going = isSending
        ? { status: 'running' as const, wakeAt: leaseUntil }
        : { status: 'waiting' as const, wakeAt: Math.min(...dueTimes) };
      if (ending !== null) lastSeq += 1;
      const change: RunChange = {
        ...(ending === null ? { ...going, output: null, error: null } : { ...ending, wakeAt: null }),
        progress,
        events,
        lastSeq,
        steps: [...changed].map((step) => toRecord(step, stateOf(step))),
        at: now,
      };
      events = [];
      changed.clear();
      return change;
    },
  };
}

function toRecord({ name, type }: WorkflowStep, { outputs, ...state }: StepState): StepRecord {
  return { step: name, type, ...state, outputs: outputs === null ? null : stringifyJson(outputs) };
}

/** The events of a change as readers see them: the progress, and the one that ends the stream. */
export function eventsOf(runId: string, change: RunChange): RunEvent[] {
  if (change.wakeAt !== null) return change.events;
  return [...change.events, { seq: change.lastSeq, data: terminalData(runId, change) }];
}
