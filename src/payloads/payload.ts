// What a workflow sees of a platform's request as `$request.payload`, whatever the platform calls it. Plain JSON; every
// field is always there, and null where the platform did not say.

import type { FileHandle } from '../core/run/request.ts';
import type { PayloadSource } from '../core/sink/sink.ts';

export interface Payload {
  /** Source and form, as `robovision.object_detection` or `v7.stage`. */
  kind: string;
  source: PayloadSource;
  item: PayloadItem;
  /** The received image. */
  image: FileHandle | null;
  predictions: Prediction[];
  masks: Mask[];
  /** The JSON document as it came, where it came as a file or as the body. */
  document: FileHandle | null;
  /** V7: the document without its annotations. */
  metadata: unknown;
  /** Whether annotations came at all, be it an empty list. */
  has_annotations: boolean;
  /** There are more points than a typed form may have: outlines, lines and skeletons are in the document alone. */
  omits_outlines: boolean;
}

export interface PayloadItem {
  id: string | null;
  name: string | null;
  path: string | null;
  dataset: string | null;
  team: string | null;
  /** Pixels. */
  width: number | null;
  height: number | null;
  /** Of a video. */
  frame_count: number | null;
  url: string | null;
}

export interface Point {
  x: number;
  y: number;
}

/** Pixels, from the top left. */
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
  /** As it came. */
  angle: number | null;
}

export interface Prediction {
  id: string | null;
  class: string;
  /** 0 to 1, as it came. */
  confidence: number | null;
  /** `bounding_box`, `polygon`, `mask`, `tag`, `label`, `keypoint`, …, or the platform's own word. */
  type: string;
  bounding_box: BoundingBox | null;
  /** A list of points for each ring. */
  polygon: Point[][] | null;
  keypoint: Point | null;
  skeleton: SkeletonNode[] | null;
  ellipse: Ellipse | null;
  line: Point[] | null;
  cuboid: { front: BoundingBox; back: BoundingBox } | null;
  /** Index into `masks`. */
  mask: number | null;
  /** Of a video: the number of the frame that the shape is of, and how many frames the document tells of. */
  frame: number | null;
  frame_count: number | null;
  /** Of a video: first frames, each with the one after the last, which is null where it goes on to the end. */
  ranges: [number, number | null][];
  text: string | null;
  instance_id: number | null;
  directional_vector: { angle: number | null; length: number | null } | null;
  attributes: string[];
  properties: { name: string; value: unknown }[];
  annotators: { email: string | null; full_name: string | null }[];
}

export interface Mask {
  /** File name; null where the mask is numbers within the document, which stay there. */
  name: string | null;
  file: FileHandle | null;
  /** Null where predictions of several classes share it. */
  class: string | null;
  /** Indexes into `predictions`: those whose `mask` is this one. */
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

/** A prediction of which nothing is known but what is given. */
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

/** With the size of the received image where the document named none. */
export function withImageSize(payload: Payload, { width, height }: { width: number; height: number }): Payload {
  const isKnown = payload.item.width !== null && payload.item.height !== null;
  return isKnown ? payload : { ...payload, item: { ...payload.item, width, height } };
}
