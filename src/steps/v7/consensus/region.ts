// The area that an annotation covers, a box or an outline, and the intersection over union of two areas.

import type { Effort } from './effort.ts';
import { type Bounds, type Edge, edgesOf, type Point, sharedArea } from './shared-area.ts';

export interface Region extends Bounds {
  readonly area: number;
  /** Null for a box, which is its bounds. */
  readonly edges: readonly Edge[] | null;
}

export interface BoundingBox {
  x: number;
  y: number;
  width: number;
  height: number;
}

export function boxRegion({ x, y, width, height }: BoundingBox): Region {
  return { minX: x, minY: y, maxX: x + width, maxY: y + height, area: width * height, edges: null };
}

/** Each ring is a list of points; a hole is a ring inside another ring. Throws TooMuchEffort. */
export function polygonRegion(rings: readonly (readonly Point[])[], effort: Effort): Region {
  const edges = edgesOf(rings);
  const bounds = { minX: Infinity, minY: Infinity, maxX: -Infinity, maxY: -Infinity };
  for (const { top, bottom } of edges) {
    bounds.minX = Math.min(bounds.minX, top.x, bottom.x);
    bounds.maxX = Math.max(bounds.maxX, top.x, bottom.x);
    bounds.minY = Math.min(bounds.minY, top.y);
    bounds.maxY = Math.max(bounds.maxY, bottom.y);
  }
  return { ...bounds, area: sharedArea(edges, edges, bounds, effort), edges };
}

/** From 0 to 1; 0 if a region has no area. Throws TooMuchEffort. */
export function intersectionOverUnion(a: Region, b: Region, effort: Effort): number {
  const bounds = {
    minX: Math.max(a.minX, b.minX),
    minY: Math.max(a.minY, b.minY),
    maxX: Math.min(a.maxX, b.maxX),
    maxY: Math.min(a.maxY, b.maxY),
  };
  const [width, height] = [bounds.maxX - bounds.minX, bounds.maxY - bounds.minY];
  if (!(width > 0 && height > 0)) return 0;
  const isPlain = a.edges === null && b.edges === null;
  const shared = isPlain ? width * height : sharedArea(a.edges ?? boxEdges(a), b.edges ?? boxEdges(b), bounds, effort);
  const union = a.area + b.area - shared;
  return union > 0 ? Math.min(1, Math.max(0, shared / union)) : 0;
}

function boxEdges({ minX, minY, maxX, maxY }: Bounds): Edge[] {
  return [minX, maxX].map((x) => ({ top: { x, y: minY }, bottom: { x, y: maxY } }));
}
