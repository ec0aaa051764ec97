// The states of one run's steps, and which of them have changed since they were last stored.

import { decodeStored, encodeStored } from '../../core/json/stored-value.ts';
import { isDecided, pendingStep, type RunError, type StepState } from '../../core/run/run.ts';
import type { WorkflowStep } from '../../core/workflow/plan.ts';
import type { StepRecord } from '../../storage/runs/run-records.ts';

export class StepStates {
  readonly #states = new Map<string, StepState>();
  /** Records of ended visits whose steps were opened again. */
  #changed: (WorkflowStep | StepRecord)[] = [];
  #decided = 0;
  #revisits = 0;

  /** `visit` is the number of the first visits. */
  constructor(steps: readonly WorkflowStep[], visit: number) {
    for (const { name } of steps) this.#states.set(name, pendingStep(visit));
  }

  get all(): ReadonlyMap<string, StepState> {
    return this.#states;
  }

  get decided(): number {
    return this.#decided;
  }

  get areAllDecided(): boolean {
    return this.#decided === this.#states.size;
  }

  /** Visits after the first one, of all steps. */
  get revisits(): number {
    return this.#revisits;
  }

  of(step: WorkflowStep): StepState {
    return this.#states.get(step.name) as StepState;
  }

  /** Undefined for a step of another graph. */
  find(name: string): StepState | undefined {
    return this.#states.get(name);
  }

  /** Returns the state for a change that must be stored. */
  touch(step: WorkflowStep): StepState {
    if (!this.#changed.includes(step)) this.#changed.push(step);
    return this.of(step);
  }

  begin(step: WorkflowStep, attempt: number, now: number): StepState {
    const state = this.#enter(step);
    state.attempt = attempt;
    state.startedAt ??= now;
    state.error = null;
    state.dueAt = null;
    state.awaits = null;
    return state;
  }

  decide(step: WorkflowStep, status: 'completed' | 'skipped' | 'failed', now: number): StepState {
    const state = this.#enter(step);
    state.status = status;
    state.finishedAt = now;
    state.dueAt = null;
    this.#decided += 1;
    return state;
  }

  /** The begun step waits for a time, or for a reply until then. */
  wait(step: WorkflowStep, dueAt: number, awaits: string | null): void {
    Object.assign(this.of(step), { status: 'waiting', dueAt, awaits });
  }

  /** The reply came, so that the step did not wait in vain. */
  takeReply(step: WorkflowStep): void {
    this.of(step).awaits = null;
  }

  /** The step failed, and is retried at a time. */
  postpone(step: WorkflowStep, error: RunError, dueAt: number): void {
    const state = this.touch(step);
    state.status = 'waiting';
    state.error = error;
    state.dueAt = dueAt;
  }

  /** Begins the next visit of a step; the earlier one stays on record. */
  reopen(step: WorkflowStep, backTo: readonly string[]): StepState {
    const { status, visit } = this.of(step);
    const place = this.#changed.lastIndexOf(step);
    if (place !== -1) this.#changed[place] = toRecord(step, this.of(step));
    if (isDecided(status)) this.#decided -= 1;
    this.#revisits += 1;
    this.#states.set(step.name, { ...pendingStep(visit + 1), backTo });
    return this.touch(step);
  }

  /** As `touch`. A visit is ordered by its start, not by when it was opened. */
  #enter(step: WorkflowStep): StepState {
    const { visit, startedAt } = this.of(step);
    const place = visit > 1 && startedAt === null ? this.#changed.lastIndexOf(step) : -1;
    if (place !== -1) this.#changed.splice(place, 1);
    return this.touch(step);
  }

  /** When the next waiting step is due; null when no step waits for a time. */
  nextDueAt(): number | null {
    let nearest: number | null = null;
    for (const { status, dueAt } of this.#states.values()) {
      if (status === 'waiting' && dueAt !== null) nearest = Math.min(nearest ?? dueAt, dueAt);
    }
    return nearest;
  }

  /** Steps that wait for a delivery or a reply. */
  countAwaiting(): number {
    let count = 0;
    for (const { status, dueAt, awaits } of this.#states.values())
      if (status === 'waiting' && (dueAt === null || awaits !== null)) count += 1;
    return count;
  }

  /** Whether some step has an effect in progress in this process. */
  isActing(): boolean {
    for (const { status } of this.#states.values()) if (status === 'running') return true;
    return false;
  }

  /** Whether some step has an effect in progress, or waits. */
  get areInFlight(): boolean {
    for (const { status } of this.#states.values()) if (status === 'running' || status === 'waiting') return true;
    return false;
  }

  /** The step asks for something before its effect: it is planned again, as the same attempt. */
  planAgain(name: string): void {
    const state = this.#states.get(name) as StepState;
    state.status = 'pending';
    state.attempt -= 1;
  }

  /** Restores steps of an earlier run, which are stored with the next turn. Returns the outputs by step. */
  adopt(steps: readonly WorkflowStep[], records: readonly StepRecord[]): Record<string, unknown> {
    const outputs: Record<string, unknown> = {};
    for (const record of records) {
      outputs[record.step] = this.restore(record);
      this.touch(steps.find(({ name }) => name === record.step) as WorkflowStep);
    }
    return outputs;
  }

  /** Restores a step from the record of its last visit. Returns its outputs. */
  restore({ step, type: _type, outputs: text, ...record }: StepRecord): Record<string, unknown> | null {
    const outputs = text === null ? null : (decodeStored(text) as Record<string, unknown>);
    const isInterrupted = record.status === 'running';
    // A step that was interrupted during its effect is planned again, as the same attempt.
    this.#states.set(step, { ...record, outputs, ...(isInterrupted ? { status: 'pending', attempt: record.attempt - 1 } : {}) });
    if (isDecided(record.status)) this.#decided += 1;
    this.#revisits += record.visit - 1;
    return outputs;
  }

  /** The visits of steps that have changed since the last call. */
  takeRecords(): StepRecord[] {
    const records = this.#changed.map((entry) => ('visit' in entry ? entry : toRecord(entry, this.of(entry))));
    this.#changed = [];
    return records;
  }
}

function toRecord({ name, type }: WorkflowStep, state: StepState): StepRecord {
  const { status, visit, backTo, attempt, outputs, chosen, error, startedAt, finishedAt, dueAt, awaits } = state;
  const text = outputs === null ? null : encodeStored(outputs);
  return { step: name, type, visit, status, attempt, outputs: text, chosen, error, startedAt, finishedAt, dueAt, backTo, awaits };
}
