// Reads boxes, points and rings of points, under the key names that the platforms use.

import type { JsonCursor } from './json-cursor.ts';
import type { BoundingBox, Point } from './payload.ts';

/** Reads `{x, y, width, height}` or `{x, y, w, h}`; x and y are the top left corner. */
export function readBox(box: JsonCursor): BoundingBox {
  if (!box.isObject) box.refuse('must be an object with x, y, width and height');
  return { ...readPoint(box), width: readSide(box.firstOf(['width', 'w'])), height: readSide(box.firstOf(['height', 'h'])) };
}

export function readBoxIfAny(box: JsonCursor): BoundingBox | null {
  return box.isGiven ? readBox(box) : null;
}

function readSide(side: JsonCursor): number {
  const length = side.number();
  return length < 0 ? side.refuse('must not be negative') : length;
}

/** Reads one ring or a list of rings. */
export function readRings(path: JsonCursor): Point[][] {
  const items = path.items();
  return items.some(({ isList }) => isList) ? items.map((ring) => ring.items().map(readPoint)) : [items.map(readPoint)];
}

export function readPoints(path: JsonCursor): Point[] {
  return path.items().map(readPoint);
}

export function readPoint(point: JsonCursor): Point {
  return { x: point.at('x').number(), y: point.at('y').number() };
}
