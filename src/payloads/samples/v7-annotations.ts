// Annotations of Darwin JSON 2.0 for a sample: each object of the scene gets another type. A raster layer has any size.

import type { BoundingBox, Point } from '../payload.ts';
import type { SeededRandom } from './random.ts';
import { type SampleOptions, textBytes } from './sample.ts';
import type { Thing } from './scene.ts';

/** The two annotators, a person and a model, alternate. */
const ADA = { email: 'ada@example.org', full_name: 'Ada Park' };
const MODEL = { email: 'model@example.org', full_name: 'Model' };

/** The placeholder for the numbers of the raster layer: millions of them are faster to write as bytes than as an array. */
const NUMBERS = '@numbers';

export function stageAnnotations(things: readonly Thing[], options: SampleOptions, random: SeededRandom): unknown[] {
  const made = things.map((thing, index) => ({
    annotators: [index % 2 === 0 ? ADA : MODEL],
    attributes: index % 2 === 0 ? ['occluded'] : [],
    id: random.uuid(),
    name: thing.className,
    properties: [{ frame_index: null, name: 'Condition', type: 'single_select', value: 'good' }],
    slot_names: ['0'],
    ...(SHAPES[index % SHAPES.length] as (box: BoundingBox) => object)(thing.box),
  }));
  if (options.rle === 0) return made;
  const mask = { annotators: [ADA], id: random.uuid(), mask: {}, name: 'leaf', properties: [], slot_names: ['0'] };
  const layer = {
    dense_rle: NUMBERS,
    mask_annotation_ids_mapping: { [mask.id]: 1 },
    total_pixels: options.width * options.height,
  };
  return [...made, mask, { id: random.uuid(), name: '__raster_layer__', properties: [], raster_layer: layer, slot_names: ['0'] }];
}

const SHAPES: readonly ((box: BoundingBox) => object)[] = [
  (box) => ({ bounding_box: sidesOf(box) }),
  (box) => ({ bounding_box: sidesOf(box), polygon: { paths: [cornersOf(box), cornersOf(middleOf(box))] } }),
  () => ({ name: 'Urgent', tag: {} }),
  (box) => ({ bounding_box: sidesOf(box), ellipse: { angle: 0, center: centreOf(box), radius: { x: box.width / 2, y: box.height / 2 } } }),
  (box) => ({ keypoint: centreOf(box) }),
  (box) => ({ skeleton: { nodes: [{ name: 'top', occluded: false, x: box.x, y: box.y }] } }),
  (box) => ({ bounding_box: sidesOf(box), text: { text: 'Best before' } }),
  (box) => ({ line: { path: cornersOf(box).slice(0, 3) } }),
  (box) => ({ bounding_box: sidesOf(box), directional_vector: { angle: 1.5, length: box.height }, instance_id: { value: box.x } }),
  (box) => ({ frames: { 0: { bounding_box: sidesOf(box), keyframe: true } }, global_sub_types: {}, interpolated: true, ranges: [[0, 25]] }),
];

function sidesOf({ x, y, width, height }: BoundingBox): Record<string, number> {
  return { h: height, w: width, x, y };
}

function centreOf({ x, y, width, height }: BoundingBox): Point {
  return { x: x + width / 2, y: y + height / 2 };
}

function middleOf({ x, y, width, height }: BoundingBox): BoundingBox {
  return { x: x + width / 4, y: y + height / 4, width: width / 2, height: height / 2 };
}

function cornersOf({ x, y, width, height }: BoundingBox): Point[] {
  const [right, bottom] = [x + width, y + height];
  return [
    { x, y },
    { x: right, y },
    { x: right, y: bottom },
    { x, y: bottom },
  ];
}

const REPEATED = 10_000;

/** Replaces the placeholder with `count` numbers, alternately a value and its run length. */
export function withRasterNumbers(document: Uint8Array, count: number, random: SeededRandom): Uint8Array {
  const bytes = Buffer.from(document);
  const marked = JSON.stringify(NUMBERS);
  const at = bytes.indexOf(marked);
  if (at === -1) return document;
  const numbers = Array.from({ length: Math.min(count, REPEATED) }, (_, index) =>
    index % 2 === 0 ? (index / 2) % 2 : random.between(1, 300),
  );
  const block = textBytes(`${numbers.join(',')},`);
  const rest = textBytes(numbers.slice(0, count % REPEATED).join(','));
  const full = Math.floor(count / REPEATED);
  const end = rest.length === 0 ? block.subarray(0, -1) : rest;
  const repeated = rest.length === 0 ? full - 1 : full;
  return Buffer.concat([
    bytes.subarray(0, at),
    textBytes('['),
    ...Array.from({ length: repeated }, () => block),
    end,
    textBytes(']'),
    bytes.subarray(at + marked.length),
  ]);
}
