// The area inside two outlines at a time, exact up to float rounding, for outlines of any form: concave, with holes,
// crossing themselves. What is inside is told by the even-odd rule. The plane is cut into slabs at every corner and every
// crossing; within a slab all edges are straight and keep their order, so that the length that is inside, measured at
// half its height, is the mean over the slab.

import type { Effort } from './effort.ts';

export interface Point {
  x: number;
  y: number;
}

/** An edge from its lower to its higher y. Level ones bound no slab, and are left out. */
export interface Edge {
  readonly top: Point;
  readonly bottom: Point;
}

interface OwnedEdge extends Edge {
  isFirst: boolean;
}

/** Keeping its height and putting it in order, in elementary steps. */
const STEPS_OF_A_CROSSING = 30;

/** `rings` close themselves; those of fewer than three points have no inside. */
export function edgesOf(rings: readonly (readonly Point[])[]): Edge[] {
  return rings.flatMap((ring) =>
    ring.flatMap((point, index): Edge[] => {
      const next = ring[(index + 1) % ring.length] as Point;
      if (point.y === next.y || ring.length < 3) return [];
      return [point.y < next.y ? { top: point, bottom: next } : { top: next, bottom: point }];
    }),
  );
}

export interface Bounds {
  readonly minX: number;
  readonly minY: number;
  readonly maxX: number;
  readonly maxY: number;
}

/**
 * With the same edges twice: the area of one outline. `bounds` must hold all that both have inside; the less they hold
 * beside it, the less there is to do. Throws TooMuchEffort.
 */
export function sharedArea(first: readonly Edge[], second: readonly Edge[], bounds: Bounds, effort: Effort): number {
  const edges = first === second ? own(first, true) : [...own(first, true), ...own(second, false)];
  effort.spend(2 * edges.length);
  const near = edges.filter((edge) => isNear(edge, bounds)).sort((a, b) => a.top.y - b.top.y);
  const heights = slabBounds(near, bounds, effort);
  const active: OwnedEdge[] = [];
  let area = 0;
  let entered = 0;
  for (let index = 1; index < heights.length; index += 1) {
    const [top, bottom] = [heights[index - 1] as number, heights[index] as number];
    const middle = top + (bottom - top) / 2;
    for (; entered < near.length && (near[entered] as OwnedEdge).top.y <= top; entered += 1) active.push(near[entered] as OwnedEdge);
    removeWhere(active, (edge) => edge.bottom.y <= top);
    effort.spend(8 * active.length + 4);
    area += (bottom - top) * lengthInside(active, middle, first === second);
  }
  return area;
}

const own = (edges: readonly Edge[], isFirst: boolean): OwnedEdge[] => edges.map(({ top, bottom }) => ({ top, bottom, isFirst }));

/** Edges to the left count, because whoever comes from there goes in or out by them; those to the right do not. */
function isNear({ top, bottom }: Edge, { minY, maxX, maxY }: Bounds): boolean {
  return top.y < maxY && bottom.y > minY && Math.min(top.x, bottom.x) <= maxX;
}

/** The length of the line at `y` that is inside both, or inside the one that there is. */
function lengthInside(active: readonly OwnedEdge[], y: number, isAlone: boolean): number {
  const crossings = active.map((edge) => ({ x: xAt(edge, y), isFirst: edge.isFirst })).sort((a, b) => a.x - b.x);
  let inFirst = false;
  let inSecond = false;
  let length = 0;
  let since = 0;
  for (const { x, isFirst } of crossings) {
    if (inFirst && (isAlone || inSecond)) length += x - since;
    if (isFirst) inFirst = !inFirst;
    else inSecond = !inSecond;
    since = x;
  }
  return length;
}

function xAt({ top, bottom }: Edge, y: number): number {
  return top.x + ((y - top.y) / (bottom.y - top.y)) * (bottom.x - top.x);
}

/** The heights of all corners and crossings within the bounds, in order and each once. `edges` come by their top. */
function slabBounds(edges: readonly OwnedEdge[], { minY, maxY }: Bounds, effort: Effort): number[] {
  const heights = new Set<number>();
  const active: OwnedEdge[] = [];
  for (const edge of edges) {
    removeWhere(active, ({ bottom }) => bottom.y <= edge.top.y);
    effort.spend(active.length + 1);
    heights.add(Math.max(edge.top.y, minY)).add(Math.min(edge.bottom.y, maxY));
    for (const other of active) {
      const y = crossingHeight(edge, other);
      if (y === null || y <= minY || y >= maxY) continue;
      effort.spend(STEPS_OF_A_CROSSING);
      heights.add(y);
    }
    active.push(edge);
  }
  return [...heights].sort((a, b) => a - b);
}

/** Null where two edges do not cross within the heights that both have. */
function crossingHeight(a: Edge, b: Edge): number | null {
  const top = Math.max(a.top.y, b.top.y);
  const bottom = Math.min(a.bottom.y, b.bottom.y);
  const before = xAt(a, top) - xAt(b, top);
  const after = xAt(a, bottom) - xAt(b, bottom);
  if (before === 0 || after === 0 || before > 0 === after > 0) return null;
  return top + (bottom - top) * (before / (before - after));
}

/** In place. */
function removeWhere<Item>(items: Item[], isGone: (item: Item) => boolean): void {
  let kept = 0;
  for (const item of items) {
    if (isGone(item)) continue;
    items[kept] = item;
    kept += 1;
  }
  items.length = kept;
}
