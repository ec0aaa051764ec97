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
  readonly isFirst: boolean;
  /** Where it crosses the line that is measured. */
  x: number;
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
  effort.spend(first.length + second.length);
  const near = [...nearEdges(first, bounds, true), ...(first === second ? [] : nearEdges(second, bounds, false))];
  near.sort((a, b) => a.top.y - b.top.y);
  const heights = slabBounds(near, bounds, effort);
  const active: OwnedEdge[] = [];
  let area = 0;
  let entered = 0;
  for (let index = 1; index < heights.length; index += 1) {
    const [top, bottom] = [heights[index - 1] as number, heights[index] as number];
    if (top === bottom) continue;
    const middle = top + (bottom - top) / 2;
    for (; entered < near.length && (near[entered] as OwnedEdge).top.y <= top; entered += 1) active.push(near[entered] as OwnedEdge);
    removeWhere(active, (edge) => edge.bottom.y <= top);
    effort.spend(4 * active.length + 4);
    sortAlong(active, middle, effort);
    area += (bottom - top) * lengthInside(active, first === second);
  }
  return area;
}

/** Edges to the left count, because whoever comes from there goes in or out by them; those to the right do not. */
function nearEdges(edges: readonly Edge[], { minY, maxX, maxY }: Bounds, isFirst: boolean): OwnedEdge[] {
  return edges
    .filter(({ top, bottom }) => top.y < maxY && bottom.y > minY && Math.min(top.x, bottom.x) <= maxX)
    .map(({ top, bottom }) => ({ top, bottom, isFirst, x: 0 }));
}

/** From left to right along the line at `y`. From one slab to the next little changes, which inserting makes use of. */
function sortAlong(active: OwnedEdge[], y: number, effort: Effort): void {
  for (let index = 0; index < active.length; index += 1) {
    const edge = active[index] as OwnedEdge;
    edge.x = xAt(edge, y);
    let place = index;
    for (; place > 0 && (active[place - 1] as OwnedEdge).x > edge.x; place -= 1) active[place] = active[place - 1] as OwnedEdge;
    active[place] = edge;
    effort.spend(index - place);
  }
}

/** How much of the line is inside both, or inside the one that there is. */
function lengthInside(active: readonly OwnedEdge[], isAlone: boolean): number {
  let inFirst = false;
  let inSecond = false;
  let length = 0;
  let since = 0;
  for (const { x, isFirst } of active) {
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

/** The heights of all corners and crossings within the bounds, in order. `edges` come by their top. */
function slabBounds(edges: readonly OwnedEdge[], { minY, maxY }: Bounds, effort: Effort): Float64Array {
  const heights: number[] = [];
  const active: OwnedEdge[] = [];
  for (const edge of edges) {
    removeWhere(active, ({ bottom }) => bottom.y <= edge.top.y);
    effort.spend(active.length + 1);
    heights.push(Math.max(edge.top.y, minY), Math.min(edge.bottom.y, maxY));
    for (const other of active) {
      const y = crossingHeight(edge, other);
      if (y === null || y <= minY || y >= maxY) continue;
      effort.spend(STEPS_OF_A_CROSSING);
      heights.push(y);
    }
    active.push(edge);
  }
  return Float64Array.from(heights).sort();
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
  if (kept < items.length) items.length = kept;
}
