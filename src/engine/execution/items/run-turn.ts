// What the graphs of a run share: the results that came for its steps, and the turn that they plan together.

import type { RunError } from '../../../core/run/run.ts';
import type { Images } from '../../../core/uql/image.ts';
import type { ItemGraph } from '../../../core/workflow/plan.ts';
import type { EffectResult, ItemResult } from '../../../steps/step-type.ts';
import type { NewDelivery } from '../../../storage/delivery-records.ts';
import type { StepRecord } from '../../../storage/runs/run-records.ts';
import type { LocalEffect } from '../program.ts';
import type { StepPlanner } from '../step-planner.ts';

export interface RunTurn {
  hasResult(step: string, visit: number): boolean;
  /** The result must be there. */
  takeResult(step: string, visit: number): EffectResult;
  addDelivery(delivery: NewDelivery): void;
  /** Tells callers of a step that is not over. */
  note(step: string, message: string): void;
  /** Tells callers of the end of an item, and stores it with the visits that belong to it. */
  noteItem(step: string, message: string, records: readonly StepRecord[]): void;
  /** The turn stores so much of items that no other one should start in it. */
  readonly isFull: boolean;
  /** The run goes on in another turn at once. */
  goOnLater(): void;
  createItem(start: ItemStart): Item;
}

export interface ItemStart {
  /** Of the graph that the for_each step belongs to. */
  planner: StepPlanner;
  graph: ItemGraph;
  item: unknown;
  index: number;
  visit: number;
  /** Stored visits, those of this item among them. */
  past: readonly StepRecord[];
}

/** One item of a list, while its steps run. */
export interface Item {
  readonly index: number;
  readonly visit: number;
  readonly startedAt: number;
  /** Null until it has ended. */
  readonly result: ItemResult | null;
  /** Why it ends as failed once nothing of it is in flight: it names a step unless another item has stopped this one. */
  readonly failure: RunError | null;
  readonly awaited: number;
  readonly isActing: boolean;
  readonly nextDueAt: number | null;
  /** True if something has changed. */
  advance(now: number, effects: LocalEffect[]): boolean;
  /** Nothing new starts; it ends with this error, or its own, once nothing of it is in flight. */
  stop(error: RunError, now: number): void;
  addRecords(records: StepRecord[]): void;
  /** False if no step of it waits for them. */
  giveImages(step: string, visit: number, images: Images): boolean;
}
