// Finds the shape of a V7 annotation. It stands under the key of its type: in `data` for an event, in one of the frames
// for a video, else in the annotation itself.

import { findFirstFrame } from '../../core/values/first-frame.ts';
import { isDict, type JsonCursor } from '../json-cursor.ts';

export interface V7Shape {
  /** The key of the shape in `holder`; `unknown` if there is none. */
  type: string;
  /** The object that has the key. */
  holder: JsonCursor;
  /** The objects that may contain attributes, text and other notes; the nearest to the shape first. */
  noteSources: JsonCursor[];
  /** Videos only: the number of the frame, and how many frames the annotation has. */
  frame: number | null;
  frameCount: number | null;
}

/** If there are frames, the first one with a shape wins over any shape beside the frames. */
export function findShape(annotation: JsonCursor): V7Shape {
  const data = annotation.at('data');
  const own = data.isObject ? data : annotation;
  const noteSources = [...new Set([own, annotation])];
  for (const holder of [...noteSources]) if (holder.at('global_sub_types').isObject) noteSources.push(holder.at('global_sub_types'));
  const frames = own.firstOf(['frames', 'sections']);
  if (!isDict(frames.value)) return { type: findType(own.value), holder: own, noteSources, frame: null, frameCount: null };
  const frameCount = Object.keys(frames.value).length;
  const key =
    findFirstFrame(frames.value, hasKnownShape) ?? findFirstFrame(frames.value, hasShape) ?? findFirstFrame(frames.value, hasOnlyText);
  if (key === null) return { type: findType(own.value), holder: own, noteSources, frame: null, frameCount };
  const holder = frames.at(key);
  const place = Number(key);
  const frame = Number.isSafeInteger(place) ? place : null;
  return { type: findType(holder.value), holder, noteSources: [holder, ...noteSources], frame, frameCount };
}

/** The number of points in outlines, lines and skeletons, from list lengths alone. */
export function countPoints({ type, holder }: V7Shape): number {
  const shape = holder.at(type);
  const lists = [shape.firstOf(['paths', 'path']), shape.at('additional_paths'), shape.at('nodes')];
  return lists.flatMap(({ value }) => (Array.isArray(value) ? value : [])).reduce<number>((count, ring) => count + lengthOf(ring), 0);
}

function lengthOf(ring: unknown): number {
  return Array.isArray(ring) ? ring.length : 1;
}

const UNKNOWN = 'unknown';
const TEXT = 'text';

/** In order of precedence: a bounding box may stand beside any other shape. */
const TYPES = [
  'polygon',
  'complex_polygon',
  'ellipse',
  'keypoint',
  'skeleton',
  'line',
  'cuboid',
  'mask',
  'raster_layer',
  'tag',
  'bounding_box',
];

/** Keys of objects that are not shapes. A text counts as a shape only if there is no other. */
const NOT_SHAPES = new Set([
  'annotators',
  'attributes',
  'auto_annotate',
  'data',
  'directional_vector',
  'frames',
  'global_sub_types',
  'inference',
  'instance_id',
  'measures',
  'properties',
  'reviewers',
  'sections',
  'sub_types',
  TEXT,
]);

function hasKnownShape(frame: unknown): boolean {
  return TYPES.includes(findType(frame));
}

function hasShape(frame: unknown): boolean {
  return findType(frame) !== UNKNOWN && !hasOnlyText(frame);
}

function hasOnlyText(frame: unknown): boolean {
  return findType(frame) === TEXT;
}

/** The first known type whose value is an object; else an unknown key, which may be a newer type. */
function findType(value: unknown): string {
  if (!isDict(value)) return UNKNOWN;
  const isObjectAt = (key: string): boolean => Object.hasOwn(value, key) && isDict(value[key]);
  const known = TYPES.find(isObjectAt) ?? Object.keys(value).find((key) => !NOT_SHAPES.has(key) && isObjectAt(key));
  return known ?? (isObjectAt(TEXT) ? TEXT : UNKNOWN);
}
