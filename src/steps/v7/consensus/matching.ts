// Matches the regions of two lists one to one, with the greatest total overlap. A sweep finds the pairs that overlap, and
// each connected group is matched by itself, so that lists of thousands stay cheap.

import { bestAssignment } from './assignment.ts';
import type { Effort } from './effort.ts';
import { intersectionOverUnion, type Region } from './region.ts';

/** Indexes into the two lists. */
export interface Match {
  first: number;
  second: number;
  iou: number;
}

/** The cost of comparing two regions, in elementary steps. */
const STEPS_OF_A_COMPARISON = 50;

/** Returns pairs that overlap, in the order of the first list. Throws TooMuchEffort. */
export function matchRegions(first: readonly Region[], second: readonly Region[], effort: Effort): Match[] {
  return groupsOf(overlaps(first, second, effort), first.length, effort)
    .flatMap((group) => (group.length === 1 ? group : matchGroup(group, effort)))
    .sort((a, b) => a.first - b.first);
}

/** Returns every pair that overlaps: sweeps a line from left to right over both lists. */
function overlaps(first: readonly Region[], second: readonly Region[], effort: Effort): Match[] {
  const found: Match[] = [];
  const events = [
    ...first.map((region, index) => ({ region, index, isFirst: true })),
    ...second.map((region, index) => ({ region, index, isFirst: false })),
  ].sort((a, b) => a.region.minX - b.region.minX);
  let openFirst: typeof events = [];
  let openSecond: typeof events = [];
  for (const event of events) {
    const isOpen = ({ region }: (typeof events)[number]): boolean => region.maxX > event.region.minX;
    effort.spend(openFirst.length + openSecond.length);
    openFirst = openFirst.filter(isOpen);
    openSecond = openSecond.filter(isOpen);
    for (const other of event.isFirst ? openSecond : openFirst) {
      if (other.region.minY >= event.region.maxY || event.region.minY >= other.region.maxY) continue;
      effort.spend(STEPS_OF_A_COMPARISON);
      const iou = intersectionOverUnion(event.region, other.region, effort);
      const [inFirst, inSecond] = event.isFirst ? [event, other] : [other, event];
      if (iou > 0) found.push({ first: inFirst.index, second: inSecond.index, iou });
    }
    (event.isFirst ? openFirst : openSecond).push(event);
  }
  return found;
}

/** Groups the pairs that share a region, directly or through other pairs. */
function groupsOf(pairs: readonly Match[], offset: number, effort: Effort): Match[][] {
  const parents = new Map<number, number>();
  const rootOf = (node: number): number => {
    let root = node;
    for (let parent = parents.get(root); parent !== undefined; parent = parents.get(root)) root = parent;
    for (let at = node; at !== root; ) {
      const next = parents.get(at) as number;
      parents.set(at, root);
      at = next;
    }
    return root;
  };
  effort.spend(pairs.length);
  for (const { first, second } of pairs) {
    const [a, b] = [rootOf(first), rootOf(offset + second)];
    if (a !== b) parents.set(a, b);
  }
  const groups = new Map<number, Match[]>();
  for (const pair of pairs) {
    const root = rootOf(pair.first);
    const group = groups.get(root);
    if (group === undefined) groups.set(root, [pair]);
    else group.push(pair);
  }
  return [...groups.values()];
}

function matchGroup(group: readonly Match[], effort: Effort): Match[] {
  const firsts = [...new Set(group.map(({ first }) => first))].sort((a, b) => a - b);
  const seconds = [...new Set(group.map(({ second }) => second))].sort((a, b) => a - b);
  const isTurned = firsts.length > seconds.length;
  const [rows, columns] = isTurned ? [seconds, firsts] : [firsts, seconds];
  effort.spend(rows.length * columns.length);
  const rowAt = new Map(rows.map((index, row) => [index, row]));
  const columnAt = new Map(columns.map((index, column) => [index, column]));
  const gains = rows.map(() => new Array<number>(columns.length).fill(0));
  for (const { first, second, iou } of group) {
    const [row, column] = isTurned ? [second, first] : [first, second];
    (gains[rowAt.get(row) as number] as number[])[columnAt.get(column) as number] = iou;
  }
  return bestAssignment(gains, effort).flatMap((column, row): Match[] => {
    const iou = (gains[row] as number[])[column] as number;
    const [first, second] = isTurned ? [columns[column], rows[row]] : [rows[row], columns[column]];
    return iou > 0 ? [{ first: first as number, second: second as number, iou }] : [];
  });
}
