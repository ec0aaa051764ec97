// The items of one visit of a for_each step: starts them in their order, collects their ends, and knows those of earlier turns.

import { decodeStored, encodeStored } from '../../../core/json/stored-value.ts';
import { firstItemVisit, itemName } from '../../../core/run/item-visits.ts';
import type { RunError } from '../../../core/run/run.ts';
import { FOR_EACH } from '../../../core/workflow/for-each/for-each-step.ts';
import type { ItemGraph } from '../../../core/workflow/plan.ts';
import type { ItemResult, ItemsResult, StepPlan } from '../../../steps/step-type.ts';
import type { StepRecord } from '../../../storage/runs/run-records.ts';
import type { LocalEffect } from '../program.ts';
import type { Item, ItemStart, RunTurn } from './run-turn.ts';

type ForEachPlan = Extract<StepPlan, { kind: 'for_each' }>;

/** The outputs of all items are one output of the step. */
const MAX_RESULT_BYTES = 4 * 2 ** 20;

/** `visit` is that of the for_each step. */
export interface ForEachStart extends Pick<ItemStart, 'planner' | 'graph' | 'past'> {
  step: string;
  visit: number;
  plan: ForEachPlan;
}

export class ForEachItems {
  readonly open: Item[] = [];
  readonly #turn: RunTurn;
  readonly #start: ForEachStart;
  readonly #results: (ItemResult | undefined)[];
  #ended = 0;
  #next = 0;
  #resultBytes = 0;
  #isStopped = false;
  #failure: RunError | null = null;

  constructor(turn: RunTurn, start: ForEachStart, now: number) {
    this.#turn = turn;
    this.#start = start;
    this.#results = new Array<ItemResult | undefined>(start.plan.items.length);
    this.#restore(now);
  }

  /** Of all items, from 0 to 1. */
  get share(): number {
    return this.#ended / this.#results.length;
  }

  advance(now: number, effects: LocalEffect[]): boolean {
    let hasMoved = false;
    for (let isMoving = true; isMoving; hasMoved ||= isMoving) {
      isMoving = false;
      for (const item of [...this.open]) {
        if (item.advance(now, effects)) isMoving = true;
        this.#noteFailure(item, now);
        if (item.result === null) continue;
        this.#end(item, item.result, now);
        isMoving = true;
      }
      if (this.#startNext()) isMoving = true;
    }
    return hasMoved;
  }

  /** Null while items run. With `failsAtOnce` a failure does not wait for those that still run. */
  resultOf(failsAtOnce: boolean): ItemsResult | null {
    const isOver = this.#isStopped ? this.open.length === 0 || failsAtOnce : this.#ended === this.#results.length;
    return isOver ? { kind: 'items', results: this.#results as ItemResult[], failure: this.#failure } : null;
  }

  /** No further item starts, and those that run end soon. */
  stop(error: RunError, now: number): void {
    this.#isStopped = true;
    this.#failure ??= error;
    for (const item of this.open) item.stop(error, now);
  }

  #startNext(): boolean {
    const { plan } = this.#start;
    let hasStarted = false;
    while (!this.#isStopped && this.open.length < plan.maxConcurrent) {
      while (this.#results[this.#next] !== undefined || this.open.some(({ index }) => index === this.#next)) this.#next += 1;
      if (this.#next === this.#results.length) break;
      if (this.#turn.isFull) {
        this.#turn.goOnLater();
        break;
      }
      this.#open(this.#next);
      hasStarted = true;
    }
    return hasStarted;
  }

  #open(index: number): void {
    const { planner, graph, past, plan } = this.#start;
    const item = this.#turn.createItem({ planner, graph, item: plan.items[index], index, visit: this.#firstVisit + index, past });
    this.open.push(item);
  }

  #end(item: Item, result: ItemResult, now: number): void {
    const { step } = this.#start;
    this.open.splice(this.open.indexOf(item), 1);
    const end = endOf(step, item, result, now);
    const records = [end];
    item.addRecords(records);
    this.#collect(item.index, result, end.outputs);
    const place = `item ${item.index + 1} of ${this.#results.length}`;
    this.#turn.noteItem(step, 'error' in result ? `${place} failed: ${result.error.message}` : place, records);
    if (this.#failure !== null && !this.#isStopped) this.stop(this.#failure, now);
  }

  /** The other items need not wait until nothing of this one is in flight. */
  #noteFailure({ index, failure }: Item, now: number): void {
    if (failure !== null && this.#start.plan.stopsAtFailure && !this.#isStopped) this.stop(this.#failureOf(index, failure), now);
  }

  #collect(index: number, result: ItemResult, outputs: string | null): void {
    this.#results[index] = result;
    this.#ended += 1;
    this.#resultBytes += outputs?.length ?? 0;
    const isCause = 'error' in result && result.error.step !== undefined && this.#start.plan.stopsAtFailure;
    if (isCause) this.#failure ??= this.#failureOf(index, result.error);
    else if (this.#resultBytes > MAX_RESULT_BYTES) this.#failure ??= TOO_LARGE;
  }

  #failureOf(index: number, { code, message, step }: RunError): RunError {
    return { code, message: `item ${index + 1} of ${this.#results.length} failed at ${step}: ${message}` };
  }

  get #firstVisit(): number {
    return firstItemVisit(this.#start.visit, this.#start.graph.maxItems);
  }

  /** Collects the items that have ended, and opens those that have begun. */
  #restore(now: number): void {
    const { step, past } = this.#start;
    const begun = new Set<number>();
    for (const record of past) {
      const index = record.visit - this.#firstVisit;
      if (index < 0 || index >= this.#results.length) continue;
      if (record.step === itemName(step)) this.#collect(index, resultOf(record), record.outputs);
      else if (isStepOf(record.step, this.#start.graph)) begun.add(index);
    }
    for (const index of [...begun].sort((a, b) => a - b)) if (this.#results[index] === undefined) this.#open(index);
    if (this.#failure !== null) this.stop(this.#failure, now);
    for (const item of this.open) this.#noteFailure(item, now);
  }
}

const TOO_LARGE: RunError = {
  code: 'results_too_large',
  message: `the outputs of the items hold more than ${MAX_RESULT_BYTES / 2 ** 20} MiB in all; let their workflow have smaller outputs`,
};

function isStepOf(name: string, { steps }: ItemGraph): boolean {
  return steps.some((step) => step.name === name);
}

function endOf(step: string, { visit, startedAt }: Item, result: ItemResult, now: number): StepRecord {
  const [status, outputs, error] =
    'error' in result ? (['failed', null, result.error] as const) : (['completed', result.output, null] as const);
  const text = outputs === null ? null : encodeStored(outputs);
  const rest = { attempt: 1, chosen: null, startedAt, finishedAt: now, dueAt: null, backTo: null, awaits: null };
  return { step: itemName(step), type: FOR_EACH, visit, status, outputs: text, error, ...rest };
}

function resultOf({ outputs, error }: StepRecord): ItemResult {
  return error === null ? { output: decodeStored(outputs ?? '{}') as Record<string, unknown> } : { error };
}
