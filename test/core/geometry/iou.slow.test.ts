// How much regions have in common, against a count of grid points for outlines of any form, and exactly for boxes.

import { describe, expect, test } from 'vitest';
import { Effort, TooMuchEffort } from '../../../src/steps/v7/consensus/effort.ts';
import { boxRegion, intersectionOverUnion, polygonRegion, type Region } from '../../../src/steps/v7/consensus/region.ts';
import type { Point } from '../../../src/steps/v7/consensus/shared-area.ts';
import { numbersFrom } from './numbers.ts';

type Rings = Point[][];

const effort = (): Effort => new Effort(1e9);
const polygon = (...rings: [number, number][][]): Region => polygonRegion(rings.map(points), effort());
const points = (ring: readonly [number, number][]): Point[] => ring.map(([x, y]) => ({ x, y }));
const box = (x: number, y: number, width: number, height: number): Region => boxRegion({ x, y, width, height });
const iou = (a: Region, b: Region): number => intersectionOverUnion(a, b, effort());

const square = (x: number, y: number, size: number): [number, number][] => [
  [x, y],
  [x + size, y],
  [x + size, y + size],
  [x, y + size],
];

describe('intersection over union', () => {
  test.each<[string, Region, Region, number]>([
    ['the same box', box(1, 2, 3, 4), box(1, 2, 3, 4), 1],
    ['a box half over another', box(0, 0, 2, 2), box(1, 0, 2, 2), 1 / 3],
    ['a box within another', box(0, 0, 10, 10), box(2, 2, 2, 2), 0.04],
    ['boxes that touch', box(0, 0, 2, 2), box(2, 0, 2, 2), 0],
    ['boxes apart', box(0, 0, 1, 1), box(5, 5, 1, 1), 0],
    ['boxes with nothing in them', box(0, 0, 0, 5), box(0, 0, 0, 5), 0],
    ['a square outline and its box', polygon(square(1, 1, 4)), box(1, 1, 4, 4), 1],
    ['an outline drawn the other way round', polygon(square(1, 1, 4)), polygon(square(1, 1, 4).reverse()), 1],
    ['a square with a hole, and the hole', polygon(square(0, 0, 4), square(1, 1, 2)), polygon(square(1, 1, 2)), 0],
    ['a square with a hole, and the square', polygon(square(0, 0, 4), square(1, 1, 2)), box(0, 0, 4, 4), 0.75],
    ['two rings apart, and one of them', polygon(square(0, 0, 1), square(5, 0, 1)), box(5, 0, 1, 1), 0.5],
    [
      'an L, and the square that it leaves',
      polygon([
        [0, 0],
        [2, 0],
        [2, 1],
        [1, 1],
        [1, 2],
        [0, 2],
      ]),
      box(1, 1, 1, 1),
      0,
    ],
    [
      'an L, and the square around it',
      polygon([
        [0, 0],
        [2, 0],
        [2, 1],
        [1, 1],
        [1, 2],
        [0, 2],
      ]),
      box(0, 0, 2, 2),
      0.75,
    ],
    [
      'an hourglass that crosses itself, and its box',
      polygon([
        [0, 0],
        [2, 2],
        [2, 0],
        [0, 2],
      ]),
      box(0, 0, 2, 2),
      0.5,
    ],
    [
      'a diamond and its box',
      polygon([
        [1, 0],
        [2, 1],
        [1, 2],
        [0, 1],
      ]),
      box(0, 0, 2, 2),
      0.5,
    ],
    [
      'a line',
      polygon([
        [0, 0],
        [5, 5],
        [2, 2],
      ]),
      box(0, 0, 5, 5),
      0,
    ],
    [
      'a level line',
      polygon([
        [0, 0],
        [5, 0],
        [2, 0],
      ]),
      box(-1, -1, 9, 9),
      0,
    ],
    [
      'two points',
      polygon([
        [0, 0],
        [5, 5],
      ]),
      box(0, 0, 5, 5),
      0,
    ],
    ['nothing', polygon(), polygon(), 0],
    [
      'one point many times',
      polygon([
        [1, 1],
        [1, 1],
        [1, 1],
        [1, 1],
      ]),
      box(0, 0, 2, 2),
      0,
    ],
  ])('of %s', (_what, a, b, expected) => {
    expect(iou(a, b)).toBeCloseTo(expected, 12);
    expect(iou(b, a)).toBeCloseTo(expected, 12);
  });

  test('of boxes is exact: 1,000 pairs with whole corners, counted square by square', () => {
    const next = numbersFrom(1);
    const side = (): number => 1 + Math.floor(next() * 12);
    for (let round = 0; round < 1000; round += 1) {
      const [a, b] = [0, 1].map(() => [Math.floor(next() * 12), Math.floor(next() * 12), side(), side()]) as [number[], number[]];
      let shared = 0;
      for (let x = 0; x < 24; x += 1) for (let y = 0; y < 24; y += 1) if (covers(a, x, y) && covers(b, x, y)) shared += 1;
      const union = (a[2] as number) * (a[3] as number) + (b[2] as number) * (b[3] as number) - shared;
      const [first, second] = [a, b].map(([x, y, width, height]) => box(x as number, y as number, width as number, height as number)) as [
        Region,
        Region,
      ];
      expect(iou(first, second)).toBe(shared / union);
    }
  });

  test('of 1,000 pairs of outlines is what a fine grid counts, to within a hundredth', () => {
    const next = numbersFrom(2);
    let meeting = 0;
    for (let round = 0; round < 1000; round += 1) {
      const [a, b] = [randomShape(next), randomShape(next)];
      const counted = gridIou(a.rings, b.rings);
      const exact = iou(a.region, b.region);
      expect(Math.abs(exact - counted), JSON.stringify([a.rings, b.rings])).toBeLessThan(0.01);
      if (exact > 0.05) meeting += 1;
    }
    expect(meeting).toBeGreaterThan(300);
  });

  test('does not depend on where the shapes are, nor on which way they are turned', () => {
    const next = numbersFrom(3);
    for (let round = 0; round < 200; round += 1) {
      const [a, b] = [randomShape(next).rings, randomShape(next).rings];
      const moved = (rings: Rings): Region =>
        polygonRegion(
          rings.map((ring) => ring.map(({ x, y }) => ({ x: 5000 - y, y: x - 3000 })).reverse()),
          effort(),
        );
      expect(iou(moved(a), moved(b))).toBeCloseTo(iou(polygonRegion(a, effort()), polygonRegion(b, effort())), 7);
    }
  });

  test('of an outline with itself is 1, however it crosses itself', () => {
    const next = numbersFrom(4);
    for (let round = 0; round < 300; round += 1) {
      const ring = Array.from({ length: 3 + Math.floor(next() * 20) }, () => ({ x: next() * 100, y: next() * 100 }));
      expect(iou(polygonRegion([ring], effort()), polygonRegion([ring], effort()))).toBeCloseTo(1, 9);
    }
  });

  test('is given up where an outline crosses itself without end', () => {
    const next = numbersFrom(5);
    const scribble = Array.from({ length: 3000 }, () => ({ x: next(), y: next() }));
    expect(() => polygonRegion([scribble], new Effort(1e7))).toThrow(TooMuchEffort);
  });
});

function covers([left, top, width, height]: readonly number[], x: number, y: number): boolean {
  return (
    x >= (left as number) && x < (left as number) + (width as number) && y >= (top as number) && y < (top as number) + (height as number)
  );
}

/** A box, an outline around a centre (mostly concave), one with a hole, or one that crosses itself. */
function randomShape(next: () => number): { rings: Rings; region: Region } {
  const [x, y, reach] = [20 + next() * 20, 20 + next() * 20, 8 + next() * 12];
  const around = (count: number, scale: () => number): Point[] =>
    Array.from({ length: count }, (_, index) => {
      const angle = ((index + next() * 0.8) / count) * 2 * Math.PI;
      const radius = reach * scale();
      return { x: x + Math.cos(angle) * radius, y: y + Math.sin(angle) * radius };
    });
  const kind = next();
  if (kind < 0.25) {
    const size = { x, y, width: reach, height: 4 + next() * 16 };
    const corners = [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 1],
    ].map(([right, down]) => ({ x: x + (right as number) * size.width, y: y + (down as number) * size.height }));
    return { rings: [corners], region: boxRegion(size) };
  }
  const rings =
    kind < 0.6
      ? [around(3 + Math.floor(next() * 12), () => 0.3 + next() * 0.7)]
      : kind < 0.8
        ? [around(8, () => 1), around(5, () => 0.4)]
        : [Array.from({ length: 5 }, () => ({ x: x + (next() - 0.5) * 2 * reach, y: y + (next() - 0.5) * 2 * reach }))];
  return { rings, region: polygonRegion(rings, effort()) };
}

const CELLS = 300;
const EXTENT = 60;

/** Counts the middles of a grid's cells that are inside, by a ray to the right of each. */
function gridIou(a: Rings, b: Rings): number {
  let [shared, union] = [0, 0];
  for (let row = 0; row < CELLS; row += 1) {
    const y = ((row + 0.5) / CELLS) * EXTENT;
    const [edgesOfA, edgesOfB] = [crossedAt(a, y), crossedAt(b, y)];
    for (let column = 0; column < CELLS; column += 1) {
      const x = ((column + 0.5) / CELLS) * EXTENT;
      const [inA, inB] = [isOdd(edgesOfA, x), isOdd(edgesOfB, x)];
      if (inA && inB) shared += 1;
      if (inA || inB) union += 1;
    }
  }
  return union === 0 ? 0 : shared / union;
}

function isOdd(crossed: readonly number[], x: number): boolean {
  let odd = false;
  for (const edge of crossed) if (edge > x) odd = !odd;
  return odd;
}

/** Where the line at `y` meets edges. */
function crossedAt(rings: Rings, y: number): number[] {
  return rings.flatMap((ring) =>
    ring.flatMap((from, index) => {
      const to = ring[(index + 1) % ring.length] as Point;
      return from.y > y === to.y > y ? [] : [from.x + ((y - from.y) * (to.x - from.x)) / (to.y - from.y)];
    }),
  );
}
