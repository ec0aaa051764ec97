// The for_each steps of one graph that have begun and not ended, with their items.

import type { RunError } from '../../../core/run/run.ts';
import type { Images } from '../../../core/uql/image.ts';
import type { StepRecord } from '../../../storage/runs/run-records.ts';
import type { ForEachItems } from './for-each-items.ts';
import type { Item } from './run-turn.ts';

export class GraphItems {
  readonly #byStep = new Map<string, ForEachItems>();
  /** Items that the end of the run interrupts. */
  readonly #left: Item[] = [];

  of(step: string): ForEachItems | undefined {
    return this.#byStep.get(step);
  }

  begin(step: string, items: ForEachItems): void {
    this.#byStep.set(step, items);
  }

  end(step: string): void {
    this.#left.push(...(this.#byStep.get(step)?.open ?? []));
    this.#byStep.delete(step);
  }

  /** What the items wait for, less the for_each steps, which count as waiting and wait for nothing themselves. */
  get awaited(): number {
    return this.#open.reduce((sum, { awaited }) => sum + awaited, -this.#byStep.size);
  }

  get isActing(): boolean {
    return this.#open.some(({ isActing }) => isActing);
  }

  get nextDueAt(): number | null {
    return earlier(...this.#open.map(({ nextDueAt }) => nextDueAt));
  }

  /** How much of the for_each steps is done, as a number of steps. */
  get share(): number {
    let share = 0;
    for (const items of this.#byStep.values()) share += items.share;
    return share;
  }

  stop(error: RunError, now: number): void {
    for (const items of this.#byStep.values()) items.stop(error, now);
  }

  /** Adds the visits in items that have changed since the last call. */
  addRecords(records: StepRecord[]): void {
    for (const item of this.#open) item.addRecords(records);
  }

  /** False if no step in an item waits for them. */
  giveImages(step: string, visit: number, images: Images): boolean {
    return this.#open.some((item) => item.giveImages(step, visit, images));
  }

  get #open(): Item[] {
    return [...this.#left, ...[...this.#byStep.values()].flatMap(({ open }) => open)];
  }
}

/** Null stands for never. */
export function earlier(...times: readonly (number | null)[]): number | null {
  const known = times.filter((at) => at !== null);
  return known.length === 0 ? null : Math.min(...known);
}
