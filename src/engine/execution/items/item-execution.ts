// One item of a list in memory: a graph of steps with inputs of its own. Its failure ends the item, and not the run.

import type { RunError } from '../../../core/run/run.ts';
import type { Images } from '../../../core/uql/image.ts';
import { type ItemGraph, outputsOf, type WorkflowStep } from '../../../core/workflow/plan.ts';
import type { ItemResult } from '../../../steps/step-type.ts';
import type { StepRecord } from '../../../storage/runs/run-records.ts';
import { GraphExecution } from '../graph-execution.ts';
import type { LocalEffect } from '../program.ts';
import type { ExecutionTools } from '../step-planner.ts';
import { earlier } from './graph-items.ts';
import type { Item, ItemStart, RunTurn } from './run-turn.ts';

export class ItemExecution extends GraphExecution implements Item {
  readonly index: number;
  readonly visit: number;
  result: ItemResult | null = null;
  failure: RunError | null = null;
  protected readonly turn: RunTurn;
  readonly #graph: ItemGraph;
  #startedAt: number | null = null;

  constructor(turn: RunTurn, tools: ExecutionTools, isDry: boolean, { planner, graph, item, index, visit, past }: ItemStart) {
    const roots = { ...planner.run.roots, item, index };
    const inputs = Object.fromEntries(graph.inputs.map(({ name, value }) => [name, value(roots)]));
    super(tools, planner.forItem(graph, inputs), isDry, visit);
    this.turn = turn;
    this.#graph = graph;
    this.index = index;
    this.visit = visit;
    this.past = past;
    this.#restore();
  }

  get startedAt(): number {
    return this.#startedAt ?? 0;
  }

  get awaited(): number {
    return this.steps.countAwaiting() + (this.items?.awaited ?? 0);
  }

  get isActing(): boolean {
    return this.steps.isActing() || this.items?.isActing === true;
  }

  get nextDueAt(): number | null {
    return earlier(this.steps.nextDueAt(), this.items?.nextDueAt ?? null);
  }

  advance(now: number, effects: LocalEffect[]): boolean {
    this.#startedAt ??= now;
    const hasMoved = this.advanceSteps(now, effects);
    if (this.result !== null || this.stopped === null || this.steps.areInFlight) return hasMoved;
    this.complete();
    return true;
  }

  stop(error: RunError, now: number): void {
    this.failure ??= { code: 'stopped', message: `stopped because ${error.message}` };
    this.stopSteps(error, now);
  }

  addRecords(records: StepRecord[]): void {
    records.push(...this.steps.takeRecords());
    this.items?.addRecords(records);
  }

  giveImages(step: string, visit: number, images: Images): boolean {
    return this.takeImages(step, visit, images);
  }

  protected get isOver(): boolean {
    return this.result !== null;
  }

  protected complete(): void {
    this.result = this.failure === null ? { output: outputsOf(this.#graph, this.planner.run.roots) } : { error: this.failure };
  }

  protected fail(error: RunError, now: number): void {
    this.failure ??= error;
    this.stop(error, now);
  }

  protected noteEnd({ name }: WorkflowStep, message: string | null): void {
    if (message !== null) this.turn.note(name, message);
  }

  /** The item waits for what is in flight. */
  protected failsWithItem(): boolean {
    return false;
  }

  #restore(): void {
    const { steps } = this.planner.run.roots;
    for (const record of this.past) {
      if (record.visit !== this.visit || this.steps.find(record.step) === undefined) continue;
      steps[record.step] = this.steps.restore(record);
      if (record.startedAt !== null) this.#startedAt = Math.min(this.#startedAt ?? record.startedAt, record.startedAt);
      // A failed step from which the item went on has outputs: its error.
      if (record.status === 'failed' && record.outputs === null && record.error !== null)
        this.failure ??= { ...record.error, step: record.step };
    }
    this.stopped = this.failure;
  }
}
