// Reads the annotations of one stage for comparison: from a typed payload or its predictions, a list in Darwin's own form,
// or Roboflow's detections. The fields of an item identify its form.

import { ExactNumber } from '../../core/json/json.ts';
import { isDict } from '../../core/python/kind.ts';
import { findFirstFrame } from '../../core/values/first-frame.ts';
import type { Annotation } from './consensus/consensus.ts';
import type { Effort } from './consensus/effort.ts';
import { boxRegion, polygonRegion, type Region } from './consensus/region.ts';
import type { Point } from './consensus/shared-area.ts';

/** Thrown when the value is not a list of annotations, or one is unreadable; the message says where and why. */
export class AnnotationFault extends Error {}

export const MAX_ANNOTATIONS = 10_000;
/** Keeps squares of coordinates exact enough for comparison. */
const MAX_COORDINATE = 1e9;

export interface StageAnnotations {
  /** Unchanged. */
  items: readonly unknown[];
  /** The items that have an area or are tags. */
  comparable: Annotation[];
}

/** `path` is used in fault messages. Throws AnnotationFault and TooMuchEffort. */
export function readStage(path: string, value: unknown, effort: Effort): StageAnnotations {
  const items = readItems(path, value);
  if (items.length > MAX_ANNOTATIONS) {
    throw new AnnotationFault(`${path} has ${items.length} annotations; a stage may have at most ${MAX_ANNOTATIONS}`);
  }
  const comparable = items.flatMap((item, index) => {
    const annotation = readItem(`${path}[${index}]`, item, effort);
    return annotation === null ? [] : [{ ...annotation, index }];
  });
  return { items, comparable };
}

function readItems(path: string, value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (isDict(value) && Array.isArray(value['predictions']) && !Object.hasOwn(value, 'top')) {
    if (value['has_annotations'] === false) throw new AnnotationFault(`${path} is a payload that was sent without annotations`);
    return value['predictions'];
  }
  throw new AnnotationFault(`${path} must be a list of annotations, a typed payload, or Roboflow's detections`);
}

/** Null for an item that has no area and is not a tag, as a keypoint or a text. */
function readItem(path: string, item: unknown, effort: Effort): Omit<Annotation, 'index'> | null {
  if (!isDict(item)) throw new AnnotationFault(`${path} must be an object`);
  const name = item['class'] ?? item['name'];
  if (typeof name !== 'string') throw new AnnotationFault(`${path} must have the name of its class in class or name`);
  const shape = shapeOf(path, item);
  if (item['type'] === 'tag' || item['type'] === 'label' || isDict(shape.holder['tag'])) return { class: name, region: null };
  const region = readRegion(shape.path, shape.holder, effort);
  return region === null ? null : { class: name, region };
}

/** In Darwin's own form the first comparable frame of a video has the shape, even if the item has one beside its frames. */
function shapeOf(path: string, item: Record<string, unknown>): { path: string; holder: Record<string, unknown> } {
  const { frames } = item;
  const key = isDict(frames) ? findFirstFrame(frames, isComparable) : null;
  return key === null
    ? { path, holder: item }
    : { path: `${path}.frames.${key}`, holder: (frames as Record<string, object>)[key] as Record<string, unknown> };
}

function isComparable(frame: unknown): boolean {
  return isDict(frame) && ['polygon', 'bounding_box', 'tag'].some((key) => isDict(frame[key]));
}

function readRegion(path: string, item: Record<string, unknown>, effort: Effort): Region | null {
  const { polygon = null, bounding_box: box = null } = item;
  const rings = isDict(polygon) ? (polygon['paths'] ?? null) : polygon;
  if (rings !== null) return polygonRegion(readRings(`${path}.polygon`, rings), effort);
  if (item['type'] === 'polygon' || item['type'] === 'complex_polygon') {
    throw new AnnotationFault(`${path} has no outline: the document has too many points for a typed payload`);
  }
  if (box !== null) return readBox(`${path}.bounding_box`, box);
  const isRoboflow = ['x', 'y', 'width', 'height'].every((name) => Object.hasOwn(item, name));
  if (!isRoboflow) return null;
  const { points } = item;
  if (Array.isArray(points) && points.length >= 3) return polygonRegion([readRing(`${path}.points`, points)], effort);
  // Roboflow's x and y are the centre.
  const { minX, minY, maxX, maxY } = readBox(path, item);
  return boxRegion({ x: minX - (maxX - minX) / 2, y: minY - (maxY - minY) / 2, width: maxX - minX, height: maxY - minY });
}

function readBox(path: string, box: unknown): Region {
  if (!isDict(box)) throw new AnnotationFault(`${path} must be an object`);
  const width = readNumber(`${path}.width`, box['width'] ?? box['w'], 0);
  const height = readNumber(`${path}.height`, box['height'] ?? box['h'], 0);
  return boxRegion({ x: readNumber(`${path}.x`, box['x']), y: readNumber(`${path}.y`, box['y']), width, height });
}

function readRings(path: string, rings: unknown): Point[][] {
  if (!Array.isArray(rings)) throw new AnnotationFault(`${path} must be a list of rings`);
  return rings.map((ring, index) => readRing(`${path}[${index}]`, ring));
}

function readRing(path: string, ring: unknown): Point[] {
  if (!Array.isArray(ring)) throw new AnnotationFault(`${path} must be a list of points`);
  return ring.map((point, index) => {
    if (!isDict(point)) throw new AnnotationFault(`${path}[${index}] must be a point with x and y`);
    return { x: readNumber(`${path}[${index}].x`, point['x']), y: readNumber(`${path}[${index}].y`, point['y']) };
  });
}

function readNumber(path: string, value: unknown, minimum = -MAX_COORDINATE): number {
  const number = typeof value === 'number' || value instanceof ExactNumber ? Number(value) : Number.NaN;
  if (number >= minimum && number <= MAX_COORDINATE) return number;
  throw new AnnotationFault(`${path} must be a number from ${minimum} to ${MAX_COORDINATE}`);
}
