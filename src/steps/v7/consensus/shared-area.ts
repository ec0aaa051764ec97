// The area inside both of two outlines, exact up to float rounding. Outlines may be concave, have holes or cross
// themselves; the even-odd rule decides what is inside. Every corner and crossing begins a slab. Within a slab the edges
// are straight and keep their order, so the length inside at half its height is the mean length of the slab.

import type { Effort } from './effort.ts';

export interface Point {
  x: number;
  y: number;
}

/** An edge from its lower to its higher y. Level edges bound no slab and are omitted. */
export interface Edge {
  readonly top: Point;
  readonly bottom: Point;
}

interface OwnedEdge extends Edge {
  readonly isFirst: boolean;
  /** The x of its crossing with the measured line. */
  x: number;
}

/** The cost of storing and sorting the height of a crossing, in elementary steps. */
const STEPS_OF_A_CROSSING = 30;

/** Each ring closes itself. Rings of fewer than three points have no inside. */
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
 * Pass the same edges twice for the area of one outline. `bounds` must contain the shared area; tighter bounds cost less.
 * Throws TooMuchEffort.
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

/** Keeps edges to the left of the bounds, because they decide whether the bounds begin inside. Edges to the right do not. */
function nearEdges(edges: readonly Edge[], { minY, maxX, maxY }: Bounds, isFirst: boolean): OwnedEdge[] {
  return edges
    .filter(({ top, bottom }) => top.y < maxY && bottom.y > minY && Math.min(top.x, bottom.x) <= maxX)
    .map(({ top, bottom }) => ({ top, bottom, isFirst, x: 0 }));
}

/** Sorts from left to right along the line at `y`. The order changes little between slabs, so insertion sort is cheap. */
function sortAlong(active: OwnedEdge[], y: number, effort: Effort): void {
  for (let index = 0; index < active.length; index += 1) {
    const edge = active[index] as OwnedEdge;
    edge.x = xAt(edge, y);
    let at = index;
    for (; at > 0 && (active[at - 1] as OwnedEdge).x > edge.x; at -= 1) active[at] = active[at - 1] as OwnedEdge;
    active[at] = edge;
    effort.spend(index - at);
  }
}

/** The length of the measured line inside both outlines, or inside the single one. */
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

/** The heights of all corners and crossings within the bounds, in order. `edges` are sorted by their top. */
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

/** Null if the edges do not cross within the heights that they share. */
function crossingHeight(a: Edge, b: Edge): number | null {
  const top = Math.max(a.top.y, b.top.y);
  const bottom = Math.min(a.bottom.y, b.bottom.y);
  const before = xAt(a, top) - xAt(b, top);
  const after = xAt(a, bottom) - xAt(b, bottom);
  if (before === 0 || after === 0 || before > 0 === after > 0) return null;
  return top + (bottom - top) * (before / (before - after));
}

/** Changes `items` in place. */
function removeWhere<Item>(items: Item[], isGone: (item: Item) => boolean): void {
  let kept = 0;
  for (const item of items) {
    if (isGone(item)) continue;
    items[kept] = item;
    kept += 1;
  }
  if (kept < items.length) items.length = kept;
}
