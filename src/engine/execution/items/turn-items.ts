// What one turn of a run stores of its items. The turn is full after so many, so that no list makes a commit large: the run
// goes on in another turn.

import { keyOf, outermostStep } from '../../../core/run/item-visits.ts';
import type { StepRecord } from '../../../storage/runs/run-records.ts';

const MAX_ITEMS_PER_TURN = 100;
const MAX_BYTES_PER_TURN = 2 ** 18;

export class TurnItems {
  /** Items are left for the next turn. */
  goesOn = false;
  /** Outputs that were stored since the run is in memory, in bytes. */
  storedBytes = 0;
  /** Visits of items, to be stored with the turn. */
  readonly records: StepRecord[] = [];
  /** Visits of an earlier run that this one keeps. */
  #adopted: readonly StepRecord[] = [];
  #items = 0;
  #bytes = 0;

  get isFull(): boolean {
    return this.#items >= MAX_ITEMS_PER_TURN || this.#bytes >= MAX_BYTES_PER_TURN;
  }

  beginTurn(): void {
    this.goesOn = false;
    this.#items = 0;
    this.#bytes = 0;
  }

  adopt(records: readonly StepRecord[]): void {
    this.#adopted = records;
  }

  addItem(records: readonly StepRecord[]): void {
    this.records.push(...records);
    this.#items += 1;
    for (const { outputs } of records) this.#bytes += outputs?.length ?? 0;
  }

  /** Returns the visits of the turn: each of these, followed by those of its items. */
  takeAfter(own: readonly StepRecord[]): StepRecord[] {
    const ofItems = [...this.#takeAdopted(own), ...this.records.splice(0)];
    const byStep = new Map<string, StepRecord[]>();
    for (const record of ofItems) {
      const step = outermostStep(record.step);
      byStep.set(step, byStep.get(step) ?? []);
      byStep.get(step)?.push(record);
      this.storedBytes += record.outputs?.length ?? 0;
    }
    const records: StepRecord[] = [];
    for (const record of own) {
      records.push(record, ...(byStep.get(record.step) ?? []));
      byStep.delete(record.step);
    }
    return [...records, ...[...byStep.values()].flat()];
  }

  /** A visit may have changed since it was adopted. */
  #takeAdopted(own: readonly StepRecord[]): readonly StepRecord[] {
    const adopted = this.#adopted;
    if (adopted.length === 0) return adopted;
    this.#adopted = [];
    const changed = new Set([...own, ...this.records].map(keyOf));
    return adopted.filter((record) => !changed.has(keyOf(record)));
  }
}
