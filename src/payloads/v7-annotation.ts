// One annotation of V7, in any of its three forms: what it is called and by whom stands on it, its shape under the key
// of its type. Numbers of masks are never touched.

import { type Found, isDict } from './found.ts';
import { readBoxIfAny, readRings } from './geometry.ts';
import { makePrediction, type Point, type Prediction } from './payload.ts';

export function readAnnotation(annotation: Found, omitsOutline: boolean): Prediction {
  if (!annotation.isObject) annotation.refuse('must be an annotation, an object');
  const name = annotation.firstOf(['name', 'class_name']);
  const shape = shapeOf(annotation);
  const type = typeOf(shape);
  return makePrediction({
    id: annotation.at('id').textIfAny(),
    class: name.textIfAny() ?? name.refuse('must be the name of a class'),
    confidence: annotation.at('inference').at('confidence').confidenceIfAny(),
    type,
    bounding_box: readBoxIfAny(shape.at('bounding_box')),
    polygon: omitsOutline ? null : ringsOf(shape.at(type)),
    text: textOf(shape.at('text')) ?? textOf(annotation.at('text')),
    attributes: annotation.at('attributes').itemsIfAny().flatMap(textsOf),
    properties: annotation.at('properties').itemsIfAny().flatMap(propertiesOf),
    annotators: annotation.at('annotators').itemsIfAny().flatMap(annotatorsOf),
  });
}

/** What holds the key of the type: `data` in events, in a video the first of the frames, else the annotation. */
export function shapeOf(annotation: Found): Found {
  const data = annotation.at('data');
  const holder = data.isObject ? data : annotation;
  const type = findType(holder);
  return type === null || type === 'text' ? (firstFrame(holder.at('frames')) ?? holder) : holder;
}

function firstFrame(frames: Found): Found | null {
  const ordered = frames.entries().toSorted(([a], [b]) => Number(a) - Number(b));
  return ordered[0]?.[1] ?? null;
}

/** In this order: a bounding box may stand beside any other shape, and a text beside a bounding box. */
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

/** What else may be an object, and is no shape. */
const NO_SHAPES = new Set([
  'annotators',
  'attributes',
  'auto_annotate',
  'data',
  'directional_vector',
  'frames',
  'inference',
  'instance_id',
  'measures',
  'properties',
  'reviewers',
  'text',
]);

function typeOf(shape: Found): string {
  return findType(shape) ?? 'unknown';
}

/** The key that holds an object; one that is not known may be the name of a newer type. */
function findType({ value }: Found): string | null {
  if (!isDict(value)) return null;
  const isHeld = (key: string): boolean => Object.hasOwn(value, key) && isDict(value[key]);
  const known = TYPES.find(isHeld) ?? Object.keys(value).find((key) => !NO_SHAPES.has(key) && isHeld(key));
  return known ?? (isHeld('text') ? 'text' : null);
}

/** `paths` holds several rings, `path` one; older documents have further rings beside it. A line has a path, and is no ring. */
function ringsOf(shape: Found): Point[][] | null {
  if (shape.key !== 'polygon' && shape.key !== 'complex_polygon') return null;
  const rings = readRings(shape.firstOf(['paths', 'path']));
  const further = shape.at('additional_paths');
  return further.isGiven ? [...rings, ...readRings(further)] : rings;
}

/** How many points its outline has, without a look at any of them. */
export function pointsOf(annotation: Found): number {
  const shape = shapeOf(annotation);
  const outline = shape.at('polygon').isGiven ? shape.at('polygon') : shape.at('complex_polygon');
  const lists = [outline.firstOf(['paths', 'path']), outline.at('additional_paths')].map(({ value }) =>
    Array.isArray(value) ? value : [],
  );
  return lists.flat().reduce<number>((count, ring) => count + (Array.isArray(ring) ? ring.length : 1), 0);
}

function textOf(text: Found): string | null {
  return text.textIfAny() ?? text.at('text').textIfAny();
}

function textsOf(entry: Found): string[] {
  const text = entry.textIfAny() ?? entry.at('name').textIfAny();
  return text === null ? [] : [text];
}

function propertiesOf(entry: Found): Prediction['properties'] {
  const name = entry.at('name').textIfAny();
  return name === null ? [] : [{ name, value: entry.at('value').value ?? null }];
}

function annotatorsOf(entry: Found): Prediction['annotators'] {
  return entry.isObject ? [{ email: entry.at('email').textIfAny(), full_name: entry.at('full_name').textIfAny() }] : [];
}
