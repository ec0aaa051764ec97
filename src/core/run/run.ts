// A run and its steps: statuses, the steps that may run next, and the progress of the run.

import type { WorkflowStep } from '../workflow/plan.ts';
import type { Loops } from '../workflow/transitions.ts';

export const RUN_STATUSES = ['queued', 'running', 'waiting', 'completed', 'failed', 'cancelled'] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

/** Of the runs that have ended. */
export const ENDED_STATUSES = ['completed', 'failed', 'cancelled'] as const;

export function isTerminal(status: RunStatus): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled';
}

/** Why a run or a step failed, as its caller sees it. */
export interface RunError {
  code: string;
  message: string;
  /** The step that failed, if one did. */
  step?: string;
}

/** Where a run is read in bounded parts, the message of an error is cut after so many characters. */
export const MESSAGE_CHARACTERS = 2048;

export type StepStatus = 'pending' | 'running' | 'waiting' | 'completed' | 'skipped' | 'failed';

/** The state of one step of one run: of its last visit when a loop repeats it. */
export interface StepState {
  status: StepStatus;
  /** From 1. */
  visit: number;
  /** Later visits: the targets of the back edges that caused the visit, the step itself or its dependencies. Else null. */
  backTo: readonly string[] | null;
  /** Attempts started: 1 once the step has started. */
  attempt: number;
  outputs: Record<string, unknown> | null;
  /** Steps that this one chose to run next; null chooses all steps that it names. */
  chosen: readonly string[] | null;
  error: RunError | null;
  startedAt: number | null;
  finishedAt: number | null;
  /** When a waiting step is due, in ms since the epoch. */
  dueAt: number | null;
  /** The id of the reply that the step waits for, or waited for in vain. Null: it waits for none. */
  awaits: string | null;
}

export function pendingStep(visit = 1): StepState {
  return {
    status: 'pending',
    visit,
    backTo: null,
    attempt: 0,
    outputs: null,
    chosen: null,
    error: null,
    startedAt: null,
    finishedAt: null,
    dueAt: null,
    awaits: null,
  };
}

/** The visit is finished. A failed step that did not end its run has chosen the steps that run instead. */
export function isDecided(status: StepStatus): boolean {
  return status === 'completed' || status === 'skipped' || status === 'failed';
}

export function hasChosen({ status, chosen }: Pick<StepState, 'status' | 'chosen'>, name: string): boolean {
  return (status === 'completed' || status === 'failed') && (chosen === null || chosen.includes(name));
}

export type StatesByStep = ReadonlyMap<string, Readonly<StepState>>;

function stepState(states: StatesByStep, name: string): Readonly<StepState> {
  return states.get(name) as StepState;
}

export type Readiness = 'ready' | 'skip' | 'not_yet';

/**
 * Whether a pending step can run now: its dependencies are completed, each of its gates has chosen it, and so has one
 * of the steps with a transition to it, if there are any. A step that merges nulls runs even when a dependency was
 * skipped. The first step of a loop that starts again runs regardless of earlier choices.
 */
export function readiness(step: WorkflowStep, states: StatesByStep, mergesNulls = false, loops: Loops | null = null): Readiness {
  for (const name of step.needs) {
    const { status } = stepState(states, name);
    if (status === 'completed') continue;
    if (!isDecided(status)) return 'not_yet';
    if (!mergesNulls && !(status === 'failed' && step.needsErrorOf.includes(name))) return 'skip';
  }
  if (step.gatedBy.length === 0 && step.chosenBy.length === 0) return 'ready';
  const backTo = loops === null ? null : stepState(states, step.name).backTo;
  if (backTo?.includes(step.name)) return 'ready';
  const gates = gateReadiness(step, states);
  const transitions = transitionReadiness(step, states, backTo, loops);
  if (gates === 'skip' || transitions === 'skip') return 'skip';
  return gates === 'ready' ? transitions : gates;
}

/** Roboflow's rule: all gates choose the step, or it is skipped. A skipped gate chooses nothing. */
function gateReadiness({ name, gatedBy }: WorkflowStep, states: StatesByStep): Readiness {
  let areDecided = true;
  for (const gate of gatedBy) {
    const state = stepState(states, gate);
    if (!isDecided(state.status)) areDecided = false;
    else if (!hasChosen(state, name)) return 'skip';
  }
  return areDecided ? 'ready' : 'not_yet';
}

function transitionReadiness(step: WorkflowStep, states: StatesByStep, backTo: readonly string[] | null, loops: Loops | null): Readiness {
  if (step.chosenBy.length === 0) return 'ready';
  const choosers = choosersOf(step, backTo, loops).map((name) => stepState(states, name));
  if (choosers.some((chooser) => hasChosen(chooser, step.name))) return 'ready';
  return choosers.every(({ status }) => isDecided(status)) ? 'skip' : 'not_yet';
}

/** In a loop, choices of earlier visits do not count: if steps of the loop body can choose, only they do. */
function choosersOf({ chosenBy }: WorkflowStep, backTo: readonly string[] | null, loops: Loops | null): readonly string[] {
  if (backTo === null) return chosenBy;
  const inBody = chosenBy.filter((name) => backTo.some((target) => loops?.bodies.get(target)?.has(name)));
  return inBody.length > 0 ? inBody : chosenBy;
}

/** Steps done over steps planned, in whole per cent; 100 is reserved for the run's success. */
export function progressOf(stepsDone: number, stepsPlanned: number): number {
  return stepsPlanned === 0 ? 0 : Math.min(99, Math.floor((stepsDone * 100) / stepsPlanned));
}
