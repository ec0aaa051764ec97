// The one-to-one assignment of rows to columns with the greatest total gain: the Hungarian algorithm, by shortest
// augmenting paths over potentials, in O(rows² × columns).

import type { Effort } from './effort.ts';

/** `gains` has at least as many columns as rows. Returns the column of each row. Throws TooMuchEffort. */
export function bestAssignment(gains: readonly (readonly number[])[], effort: Effort): number[] {
  const columns = gains[0]?.length ?? 0;
  const state: State = {
    gains,
    rowPotentials: new Float64Array(gains.length),
    columnPotentials: new Float64Array(columns),
    rowOf: new Int32Array(columns).fill(FREE),
  };
  for (let row = 0; row < gains.length; row += 1) placeRow(state, row, effort);
  const columnOf = new Array<number>(gains.length).fill(FREE);
  for (const [column, row] of state.rowOf.entries()) if (row !== FREE) columnOf[row] = column;
  return columnOf;
}

const FREE = -1;

interface State {
  gains: readonly (readonly number[])[];
  rowPotentials: Float64Array;
  columnPotentials: Float64Array;
  rowOf: Int32Array;
}

/** Finds the shortest augmenting path to a free column, and moves each row on the path to its next column. */
function placeRow(state: State, start: number, effort: Effort): void {
  const { rowPotentials, columnPotentials, rowOf } = state;
  const columns = rowOf.length;
  const distances = new Float64Array(columns).fill(Number.POSITIVE_INFINITY);
  const previous = new Int32Array(columns).fill(FREE);
  const isDone = new Uint8Array(columns);
  let column = FREE;
  for (let row = start; row !== FREE; row = at(rowOf, column)) {
    effort.spend(columns);
    const nearest = relax(state, row, column, distances, previous, isDone);
    const step = at(distances, nearest);
    add(rowPotentials, start, step);
    for (let other = 0; other < columns; other += 1) {
      if (isDone[other] === 1) {
        add(rowPotentials, at(rowOf, other), step);
        add(columnPotentials, other, -step);
      } else add(distances, other, -step);
    }
    isDone[nearest] = 1;
    column = nearest;
  }
  for (let before = at(previous, column); column !== FREE; before = column === FREE ? FREE : at(previous, column)) {
    rowOf[column] = before === FREE ? start : at(rowOf, before);
    column = before;
  }
}

/** Relaxes the paths through `row`, which has the column `from`. Returns the nearest column that is not done. */
function relax(state: State, row: number, from: number, distances: Float64Array, previous: Int32Array, isDone: Uint8Array): number {
  const gains = state.gains[row] as readonly number[];
  const rowPotential = at(state.rowPotentials, row);
  let nearest = FREE;
  for (let column = 0; column < distances.length; column += 1) {
    if (isDone[column] === 1) continue;
    const cost = -(gains[column] as number) - rowPotential - at(state.columnPotentials, column);
    if (cost < at(distances, column)) {
      distances[column] = cost;
      previous[column] = from;
    }
    if (nearest === FREE || at(distances, column) < at(distances, nearest)) nearest = column;
  }
  return nearest;
}

const at = (numbers: Float64Array | Int32Array, index: number): number => numbers[index] as number;

function add(numbers: Float64Array, index: number, amount: number): void {
  numbers[index] = at(numbers, index) + amount;
}
