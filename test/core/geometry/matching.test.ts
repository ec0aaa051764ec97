// Who goes with whom, against every way there is for small groups, and how much is compared for large ones.

import { describe, expect, test } from 'vitest';
import { bestAssignment } from '../../../src/steps/v7/consensus/assignment.ts';
import { Effort, TooMuchEffort } from '../../../src/steps/v7/consensus/effort.ts';
import { matchRegions } from '../../../src/steps/v7/consensus/matching.ts';
import { boxRegion, intersectionOverUnion, type Region } from '../../../src/steps/v7/consensus/region.ts';
import { numbersFrom } from './numbers.ts';

const effort = (): Effort => new Effort(1e8);

/** The greatest total of all ways to give each row a column of its own. */
function bestTotal(gains: readonly (readonly number[])[], used: ReadonlySet<number> = new Set()): number {
  const [row, ...rest] = gains;
  if (row === undefined) return 0;
  return Math.max(...row.map((gain, column) => (used.has(column) ? -1 : gain + bestTotal(rest, new Set([...used, column])))));
}

const total = (gains: readonly (readonly number[])[], columns: readonly number[]): number =>
  columns.reduce((sum, column, row) => sum + (gains[row]?.[column] as number), 0);

describe('the best assignment', () => {
  test('is as good as the best of all there are, for up to six on a side', () => {
    const next = numbersFrom(1);
    for (let round = 0; round < 400; round += 1) {
      const rows = 1 + Math.floor(next() * 6);
      const columns = rows + Math.floor(next() * (7 - rows));
      const isSparse = next() < 0.5;
      const gains = Array.from({ length: rows }, () => Array.from({ length: columns }, () => (isSparse && next() < 0.6 ? 0 : next())));
      const assigned = bestAssignment(gains, effort());
      expect(new Set(assigned).size).toBe(rows);
      expect(total(gains, assigned)).toBeCloseTo(bestTotal(gains), 12);
    }
  });

  test('is not the greedy one', () => {
    const gains = [
      [0.9, 0.8],
      [0.85, 0.1],
    ];
    expect(bestAssignment(gains, effort())).toEqual([1, 0]);
  });

  test('of nobody is nobody, and equal gains give everybody one', () => {
    expect(bestAssignment([], effort())).toEqual([]);
    expect(
      bestAssignment(
        [
          [0.5, 0.5],
          [0.5, 0.5],
        ],
        effort(),
      ).sort(),
    ).toEqual([0, 1]);
  });
});

describe('regions', () => {
  const randomBoxes = (next: () => number, count: number, extent: number): Region[] =>
    Array.from({ length: count }, () =>
      boxRegion({ x: next() * extent, y: next() * extent, width: 2 + next() * 8, height: 2 + next() * 8 }),
    );

  test('are matched with the greatest total of all ways, each at most once', () => {
    const next = numbersFrom(2);
    for (let round = 0; round < 300; round += 1) {
      const sizes = [Math.floor(next() * 6), Math.floor(next() * 6)].sort() as [number, number];
      const [first, second] = sizes.map((count) => randomBoxes(next, count, 20)) as [Region[], Region[]];
      const gains = first.map((a) => second.map((b) => intersectionOverUnion(a, b, effort())));
      const straight = matchRegions(first, second, effort());
      const turned = matchRegions(second, first, effort());
      for (const matches of [straight, turned]) {
        expect(new Set(matches.map((match) => match.first)).size).toBe(matches.length);
        expect(new Set(matches.map((match) => match.second)).size).toBe(matches.length);
        expect(matches.reduce((sum, { iou }) => sum + iou, 0)).toBeCloseTo(first.length === 0 ? 0 : bestTotal(gains), 12);
      }
      for (const { first: a, second: b, iou } of straight) expect(iou).toBe(gains[a]?.[b]);
    }
  });

  test('that lie apart are cheap to match by the thousand', () => {
    const boxes = (shift: number): Region[] =>
      Array.from({ length: 10_000 }, (_, index) =>
        boxRegion({ x: (index % 100) * 10 + shift, y: Math.floor(index / 100) * 10, width: 8, height: 8 }),
      );
    const matches = matchRegions(boxes(0), boxes(1), new Effort(2e7));
    expect(matches).toHaveLength(10_000);
    expect(matches.every(({ first, second }) => first === second)).toBe(true);
  });

  test('that all lie on one another are given up by the thousand', () => {
    const pile = Array.from({ length: 10_000 }, (_, index) => boxRegion({ x: index / 1e6, y: 0, width: 8, height: 8 }));
    expect(() => matchRegions(pile, pile, new Effort(2e7))).toThrow(TooMuchEffort);
  });
});
