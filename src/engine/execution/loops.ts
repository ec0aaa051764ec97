// The loops that the steps of one run have chosen to repeat. A loop starts again once no step of its body is in flight:
// earlier visits stay on record, and every step that depends on the loop's first step runs again.

import { hasChosen, isDecided, type RunError, type StepState } from '../../core/run/run.ts';
import type { WorkflowStep } from '../../core/workflow/plan.ts';
import type { Loops } from '../../core/workflow/transitions.ts';
import type { StepStates } from './step-states.ts';

/** Nested loops multiply: a run with more revisits fails. */
const MAX_REVISITS = 10_000;

export interface Return {
  /** The step that has chosen the back edge, and the message for callers. */
  by: string;
  message: string;
}

export class PendingLoops {
  readonly #loops: Loops;
  readonly #definitions: readonly WorkflowStep[];
  readonly #steps: StepStates;
  /** First steps of the loops that are to start again. */
  readonly #wanted = new Set<string>();

  /** Loops that were chosen before a restart follow from the states. */
  constructor(loops: Loops, definitions: readonly WorkflowStep[], steps: StepStates) {
    this.#loops = loops;
    this.#definitions = definitions;
    this.#steps = steps;
    for (const step of definitions) this.note(step);
  }

  get isWanted(): boolean {
    return this.#wanted.size > 0;
  }

  /** True for a step of a loop that is about to start again: the step must not begin before. */
  blocks({ name }: WorkflowStep): boolean {
    for (const target of this.#wanted) if (this.#isInside(name, target)) return true;
    return false;
  }

  /** Call it once a step has ended: it may have chosen a loop. */
  note(step: WorkflowStep): void {
    const targets = this.#loops.backEdges.get(step.name);
    if (targets === undefined) return;
    const state = this.#steps.of(step);
    for (const target of targets) if (hasChosen(state, target)) this.#wanted.add(target);
  }

  /**
   * Starts loops again, and calls `reopen` with each step that runs again. Null if no loop can start yet; an error if a
   * step would be visited too often.
   */
  take(reopen: (step: WorkflowStep) => void): Return[] | RunError | null {
    if (!this.isWanted || this.#isInFlight()) return null;
    // Skip targets inside the body of another target.
    const targets = [...this.#wanted].filter((name) => !this.#isInsideOther(name));
    const returns: Return[] = [];
    for (const step of this.#definitions) {
      if (!targets.includes(step.name)) continue;
      const by = this.#senderTo(step.name);
      const visit = this.#steps.of(step).visit + 1;
      const error = this.#limitError(step, visit, by);
      if (error !== null) return error;
      returns.push({ by, message: `back to ${step.name}, visit ${visit} of ${step.maxVisits}` });
    }
    this.#wanted.clear();
    for (const step of this.#definitions) {
      const inside = targets.filter((target) => this.#isInside(step.name, target));
      if (inside.length > 0) this.#reopen(step, inside, reopen);
    }
    return returns;
  }

  #reopen(step: WorkflowStep, backTo: readonly string[], reopen: (step: WorkflowStep) => void): void {
    const state = this.#steps.of(step);
    if (backTo.includes(step.name) || !isUntouched(state)) {
      this.#steps.reopen(step, backTo);
      reopen(step);
    } else if (state.backTo !== null) {
      // Its visit has not begun: it waits for the earlier loops too.
      const before = state.backTo.filter((name) => !backTo.some((target) => this.#isInside(name, target)));
      this.#steps.touch(step).backTo = [...before, ...backTo];
    }
  }

  /** The step that has chosen the target; if there are several, the first in the document. */
  #senderTo(target: string): string {
    const sends = (step: WorkflowStep) =>
      this.#loops.backEdges.get(step.name)?.has(target) === true && hasChosen(this.#steps.of(step), target);
    return (this.#definitions.find(sends) as WorkflowStep).name;
  }

  #isInside(name: string, target: string): boolean {
    return this.#loops.bodies.get(target)?.has(name) === true;
  }

  #isInsideOther(name: string): boolean {
    for (const target of this.#wanted) if (target !== name && this.#isInside(name, target)) return true;
    return false;
  }

  #isInFlight(): boolean {
    return this.#definitions.some((step) => {
      const state = this.#steps.of(step);
      return !isDecided(state.status) && !isUntouched(state) && this.blocks(step);
    });
  }

  #limitError({ name, maxVisits }: WorkflowStep, visit: number, by: string): RunError | null {
    const sent = `step "${by}" sent the run back to it once more`;
    const code = 'too_many_visits';
    if (visit > maxVisits)
      return { code, message: `step "${name}" may be visited ${maxVisits} times (max_visits), and ${sent}`, step: name };
    if (this.#steps.revisits < MAX_REVISITS) return null;
    return { code, message: `steps were visited again ${MAX_REVISITS} times, the most in one run, and ${sent}`, step: name };
  }
}

/** Nothing of its visit has been stored or done. */
function isUntouched({ status, startedAt }: StepState): boolean {
  return status === 'pending' && startedAt === null;
}
