// The steps of one run: where each stands, and which have changed since they were last stored.

import { pendingStep, type StepState } from '../core/run.ts';
import { decodeStored, encodeStored } from '../core/stored-value.ts';
import type { WorkflowStep } from '../core/workflow.ts';
import type { StepRecord } from '../storage/storage.ts';

export class StepStates {
  readonly #states = new Map<string, StepState>();
  #changed: WorkflowStep[] = [];
  /** Steps that are completed or skipped. */
  #decided = 0;

  constructor(steps: readonly WorkflowStep[]) {
    for (const { name } of steps) this.#states.set(name, pendingStep());
  }

  get all(): ReadonlyMap<string, StepState> {
    return this.#states;
  }

  get decided(): number {
    return this.#decided;
  }

  of(step: WorkflowStep): StepState {
    return this.#states.get(step.name) as StepState;
  }

  /** For a change that must be stored. */
  touch(step: WorkflowStep): StepState {
    if (!this.#changed.includes(step)) this.#changed.push(step);
    return this.of(step);
  }

  decide(step: WorkflowStep, status: 'completed' | 'skipped', now: number): StepState {
    const state = this.touch(step);
    state.status = status;
    state.finishedAt = now;
    state.dueAt = null;
    this.#decided += 1;
    return state;
  }

  /** When the next waiting step is due; null when none waits for a time. */
  nextDueAt(): number | null {
    let nearest: number | null = null;
    for (const { status, dueAt } of this.#states.values()) {
      if (status === 'waiting' && dueAt !== null) nearest = Math.min(nearest ?? dueAt, dueAt);
    }
    return nearest;
  }

  /** Whether some step does something in this process. */
  isActing(): boolean {
    for (const { status } of this.#states.values()) if (status === 'running') return true;
    return false;
  }

  /** Where an earlier owner left a step; returns its outputs. */
  restore({ step, type: _type, outputs: text, ...record }: StepRecord): Record<string, unknown> | null {
    const outputs = text === null ? null : (decodeStored(text) as Record<string, unknown>);
    const isInterrupted = record.status === 'running';
    // A step that was interrupted while it acted is planned again, as the same try.
    this.#states.set(step, { ...record, outputs, ...(isInterrupted ? { status: 'pending', attempt: record.attempt - 1 } : {}) });
    if (record.status === 'completed' || record.status === 'skipped') this.#decided += 1;
    return outputs;
  }

  /** The steps that have changed since the last call. */
  takeRecords(): StepRecord[] {
    const records: StepRecord[] = [];
    for (const step of this.#changed) records.push(toRecord(step, this.of(step)));
    this.#changed = [];
    return records;
  }
}

function toRecord({ name, type }: WorkflowStep, state: StepState): StepRecord {
  const { status, attempt, outputs, chosen, error, startedAt, finishedAt, dueAt } = state;
  const text = outputs === null ? null : encodeStored(outputs);
  return { step: name, type, status, attempt, outputs: text, chosen, error, startedAt, finishedAt, dueAt };
}
