// Whether a point lies inside a polygon. The border counts as outside, as in shapely's `contains`.

import { PythonError } from '../../python/error.ts';
import { readNumber } from '../../python/number.ts';
import { itemsOf } from '../../python/sequence.ts';
import { strOf } from '../../python/text.ts';

type Point = readonly [x: number, y: number];

const MIN_CORNERS = 3;

export function isPointInZone(point: unknown, zone: unknown): boolean {
  const [x, y] = readPoint(point);
  const corners = itemsOf(zone).map(readPoint);
  if (corners.length < MIN_CORNERS) {
    throw new PythonError('ValueError', `A zone must have at least ${MIN_CORNERS} points, but has ${corners.length}`);
  }
  let isInside = false;
  let previous = corners.at(-1) as Point;
  for (const corner of corners) {
    if (isOnEdge([x, y], previous, corner)) return false;
    const isCrossing = corner[1] > y !== previous[1] > y;
    if (isCrossing && x < ((previous[0] - corner[0]) * (y - corner[1])) / (previous[1] - corner[1]) + corner[0]) isInside = !isInside;
    previous = corner;
  }
  return isInside;
}

function isOnEdge([x, y]: Point, [startX, startY]: Point, [endX, endY]: Point): boolean {
  const isOnLine = (endX - startX) * (y - startY) === (endY - startY) * (x - startX);
  const isWithin = Math.min(startX, endX) <= x && x <= Math.max(startX, endX) && Math.min(startY, endY) <= y && y <= Math.max(startY, endY);
  return isOnLine && isWithin;
}

function readPoint(value: unknown): Point {
  const coordinates = itemsOf(value).map(readNumber);
  const [x, y] = coordinates;
  if (x === undefined || y === undefined || x === null || y === null) {
    throw new PythonError('ValueError', `A point must be two numbers, [x, y], but is ${strOf(value)}`);
  }
  return [Number(x), Number(y)];
}
