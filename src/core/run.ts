// A run and its steps: statuses, what may run next, and how far the run is.

import type { WorkflowStep } from './workflow.ts';

export const RUN_STATUSES = ['queued', 'running', 'waiting', 'completed', 'failed', 'cancelled'] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

export function isTerminal(status: RunStatus): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled';
}

/** Why a run or a step failed, as its caller sees it. */
export interface RunError {
  code: string;
  message: string;
  /** The step that failed, where one did. */
  step?: string;
}

export type StepStatus = 'pending' | 'running' | 'waiting' | 'completed' | 'skipped' | 'failed';

/** The state of one step of one run. */
export interface StepState {
  status: StepStatus;
  /** Tries begun, from 1 once the step has started. */
  attempt: number;
  outputs: Record<string, unknown> | null;
  /** Steps that this one chose to run next; null chooses all that it names. */
  chosen: readonly string[] | null;
  error: RunError | null;
  startedAt: number | null;
  finishedAt: number | null;
  /** When a waiting step is due, in ms since the epoch. */
  dueAt: number | null;
}

export function pendingStep(): StepState {
  return { status: 'pending', attempt: 0, outputs: null, chosen: null, error: null, startedAt: null, finishedAt: null, dueAt: null };
}

export type StepStates = ReadonlyMap<string, Readonly<StepState>>;

function stepState(states: StepStates, name: string): Readonly<StepState> {
  return states.get(name) as StepState;
}

export type Readiness = 'ready' | 'skip' | 'not_yet';

/**
 * Whether a pending step can run now: all it needs is there, and it was chosen if steps choose it. A step that merges
 * nulls runs even where a step that it needs was skipped.
 */
export function readiness(step: WorkflowStep, states: StepStates, mergesNulls = false): Readiness {
  for (const name of step.needs) {
    const { status } = stepState(states, name);
    if (status === 'skipped') {
      if (mergesNulls) continue;
      return 'skip';
    }
    if (status !== 'completed') return 'not_yet';
  }
  if (step.chosenBy.length === 0) return 'ready';
  const choosers = step.chosenBy.map((name) => stepState(states, name));
  if (choosers.some(({ status, chosen }) => status === 'completed' && (chosen === null || chosen.includes(step.name)))) return 'ready';
  return choosers.every(({ status }) => status === 'completed' || status === 'skipped') ? 'skip' : 'not_yet';
}

/** Steps done over steps planned, in whole per cent; 100 is left for the run's success. */
export function progressOf(stepsDone: number, stepsPlanned: number): number {
  return stepsPlanned === 0 ? 0 : Math.min(99, Math.floor((stepsDone * 100) / stepsPlanned));
}
