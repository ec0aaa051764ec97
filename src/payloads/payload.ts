// The typed form of a platform's request, which workflows read as `$request.payload`. It is plain JSON. Every field is
// present, and null if the request did not give it.

import type { FileHandle } from '../core/run/request.ts';
import type { PayloadSource } from '../core/sink/sink.ts';

export interface Payload {
  /** Source and form, such as `robovision.object_detection` or `v7.stage`. */
  kind: string;
  source: PayloadSource;
  item: PayloadItem;
  /** The received image. */
  image: FileHandle | null;
  predictions: Prediction[];
  masks: Mask[];
  /** The JSON document as received; null if it was a form field. */
  document: FileHandle | null;
  /** V7: the document without its annotations. */
  metadata: unknown;
  /** Whether the request contains annotations, even an empty list. */
  has_annotations: boolean;
  /** True if there are more points than a typed form may have. Outlines, lines and skeletons are then only in the document. */
  omits_outlines: boolean;
}

export interface PayloadItem {
  id: string | null;
  name: string | null;
  path: string | null;
  dataset: string | null;
  team: string | null;
  /** In pixels. */
  width: number | null;
  height: number | null;
  /** Videos only. */
  frame_count: number | null;
  url: string | null;
}

export interface Point {
  x: number;
  y: number;
}

/** In pixels; x and y are the top left corner. */
export interface BoundingBox extends Point {
  width: number;
  height: number;
}

export interface SkeletonNode extends Point {
  name: string | null;
  occluded: boolean;
}

export interface Ellipse {
  center: Point;
  radius: Point;
  /** As received. */
  angle: number | null;
}

export interface Prediction {
  id: string | null;
  class: string;
  /** From 0 to 1, as received. */
  confidence: number | null;
  /** `bounding_box`, `polygon`, `mask`, `tag`, `label`, `keypoint`, …, or the platform's own word. */
  type: string;
  bounding_box: BoundingBox | null;
  /** One list of points per ring. */
  polygon: Point[][] | null;
  keypoint: Point | null;
  skeleton: SkeletonNode[] | null;
  ellipse: Ellipse | null;
  line: Point[] | null;
  cuboid: { front: BoundingBox; back: BoundingBox } | null;
  /** Index into `masks`. */
  mask: number | null;
  /** Videos only: the number of the frame that the shape is taken from. */
  frame: number | null;
  /** Videos only: how many frames the annotation lists. */
  frame_count: number | null;
  /** Videos only: pairs of the first frame and the frame after the last; null if the range is open. */
  ranges: [number, number | null][];
  text: string | null;
  instance_id: number | null;
  directional_vector: { angle: number | null; length: number | null } | null;
  attributes: string[];
  properties: { name: string; value: unknown }[];
  annotators: { email: string | null; full_name: string | null }[];
}

export interface Mask {
  /** File name; null if the mask is a list of numbers in the document. */
  name: string | null;
  file: FileHandle | null;
  /** Null if predictions of several classes share the mask. */
  class: string | null;
  /** Indexes of the predictions that use this mask. */
  predictions: number[];
}

export const NO_ITEM: Readonly<PayloadItem> = {
  id: null,
  name: null,
  path: null,
  dataset: null,
  team: null,
  width: null,
  height: null,
  frame_count: null,
  url: null,
};

/** Fills in null or an empty list for every field that is not given. */
export function makePrediction(known: Pick<Prediction, 'class' | 'type'> & Partial<Prediction>): Prediction {
  return {
    id: null,
    confidence: null,
    bounding_box: null,
    polygon: null,
    keypoint: null,
    skeleton: null,
    ellipse: null,
    line: null,
    cuboid: null,
    mask: null,
    frame: null,
    frame_count: null,
    ranges: [],
    text: null,
    instance_id: null,
    directional_vector: null,
    attributes: [],
    properties: [],
    annotators: [],
    ...known,
  };
}

/** Sets the item's size to the size of the received image, unless the document gave one. */
export function withImageSize(payload: Payload, { width, height }: { width: number; height: number }): Payload {
  const isKnown = payload.item.width !== null && payload.item.height !== null;
  return isKnown ? payload : { ...payload, item: { ...payload.item, width, height } };
}
