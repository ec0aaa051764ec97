// Where the shape of one of V7's annotations stands, in any of its three forms: under the key of its type, which is in
// `data` in events, in one of the frames of a video, else in the annotation itself.

import { findFirstFrame } from '../../core/values/first-frame.ts';
import { isDict, type JsonCursor } from '../json-cursor.ts';

export interface V7Shape {
  /** The key that holds it; `unknown` where there is none. */
  type: string;
  /** What has that key. */
  holder: JsonCursor;
  /** All that may note something of the annotation, what is nearest to the shape first. */
  noting: JsonCursor[];
  /** Of a video: the number of that frame, and how many there are. */
  frame: number | null;
  frameCount: number | null;
}

/** Where there are frames, the first that draws something wins over all that stands beside them. */
export function findShape(annotation: JsonCursor): V7Shape {
  const data = annotation.at('data');
  const own = data.isObject ? data : annotation;
  const noting = [...new Set([own, annotation])];
  for (const holder of [...noting]) if (holder.at('global_sub_types').isObject) noting.push(holder.at('global_sub_types'));
  const frames = own.firstOf(['frames', 'sections']);
  if (!isDict(frames.value)) return { type: findType(own.value), holder: own, noting, frame: null, frameCount: null };
  const frameCount = Object.keys(frames.value).length;
  const key = findFirstFrame(frames.value, drawsKnown) ?? findFirstFrame(frames.value, draws) ?? findFirstFrame(frames.value, notesText);
  if (key === null) return { type: findType(own.value), holder: own, noting, frame: null, frameCount };
  const holder = frames.at(key);
  const place = Number(key);
  const frame = Number.isSafeInteger(place) ? place : null;
  return { type: findType(holder.value), holder, noting: [holder, ...noting], frame, frameCount };
}

/** How many points of outlines, lines and skeletons it has, without a look at any of them. */
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

/** In this order: a bounding box may stand beside any other shape. */
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

/** What else may be an object, and is no shape. A text is one only where there is no other. */
const NO_SHAPES = new Set([
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

function drawsKnown(frame: unknown): boolean {
  return TYPES.includes(findType(frame));
}

function draws(frame: unknown): boolean {
  return findType(frame) !== UNKNOWN && !notesText(frame);
}

function notesText(frame: unknown): boolean {
  return findType(frame) === TEXT;
}

/** The key that holds an object; one that is not known may be the name of a newer type. */
function findType(value: unknown): string {
  if (!isDict(value)) return UNKNOWN;
  const isHeld = (key: string): boolean => Object.hasOwn(value, key) && isDict(value[key]);
  const known = TYPES.find(isHeld) ?? Object.keys(value).find((key) => !NO_SHAPES.has(key) && isHeld(key));
  return known ?? (isHeld(TEXT) ? TEXT : UNKNOWN);
}
