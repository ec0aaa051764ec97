// Samples of Robovision's camera inference. The platform's own receiver shows only the document of an image
// classification; the shapes of the other four are this project's proposal.

import type { RobovisionKind } from '../robovision/robovision-kind.ts';
import { encodeGreyJpeg } from './encode-jpeg.ts';
import { encodeMaskPng, type MaskShape } from './encode-png.ts';
import { SeededRandom } from './random.ts';
import { jsonBytes, type SampleOptions, type SamplePart, type SampleRequest } from './sample.ts';
import { drawScene, makeScene, type Thing } from './scene.ts';

export function robovisionSample(kind: RobovisionKind, options: SampleOptions): SampleRequest {
  const things = makeScene(options, new SeededRandom(options.seed));
  const { document, masks } = DOCUMENTS[kind](things);
  const parts = masks.map((shapes, index) => maskPart(index, encodeMaskPng(options, shapes)));
  const predictions = { name: 'predictions', filename: 'predictions.json', contentType: 'application/json', bytes: jsonBytes(document) };
  return { contentType: 'multipart/form-data', parts: [...imageParts(things, options), ...parts, predictions] };
}

function imageParts(things: readonly Thing[], options: SampleOptions): SamplePart[] {
  if (!options.image) return [];
  const bytes = encodeGreyJpeg(options, drawScene(things, options));
  return [{ name: 'image', filename: 'image.jpeg', contentType: 'image/jpeg', bytes }];
}

function maskPart(index: number, bytes: Uint8Array): SamplePart {
  return { name: maskName(index), filename: `${maskName(index)}.png`, contentType: 'image/png', bytes };
}

function maskName(index: number): string {
  return `mask_${String(index).padStart(4, '0')}`;
}

interface Document {
  document: unknown;
  /** The shapes of each mask file, in the order of the files. */
  masks: MaskShape[][];
}

const DOCUMENTS: Record<RobovisionKind, (things: readonly Thing[]) => Document> = {
  object_detection: (things) => ({
    document: { kind: 'ObjectDetection.v1', objects: things.map((thing) => ({ ...labelOf(thing), boundingBox: thing.box })) },
    masks: [],
  }),
  image_classification: ([thing]) => ({
    document: { kind: 'ImageClassification.v1', ...(thing === undefined ? { classId: 'empty', confidence: 0.5 } : labelOf(thing)) },
    masks: [],
  }),
  multilabel_classification: (things) => ({
    document: { kind: 'MultilabelImageClassification.v1', labels: things.map(labelOf) },
    masks: [],
  }),
  instance_segmentation: (things) => ({
    document: {
      kind: 'InstanceSegmentation.v1',
      instances: things.map((thing, index) => ({ ...labelOf(thing), mask: `${maskName(index)}.png` })),
    },
    masks: things.map(({ box }) => [{ box, form: 'ellipse' }]),
  }),
  semantic_segmentation: (things) => {
    const classes = [...new Set(things.map(({ className }) => className))];
    return {
      document: {
        kind: 'SemanticSegmentation.v1',
        segments: classes.map((classId, index) => ({ classId, mask: `${maskName(index)}.png` })),
      },
      masks: classes.map((name) => things.filter(({ className }) => className === name).map(({ box }) => ({ box, form: 'box' }))),
    };
  },
};

function labelOf({ className, confidence }: Thing): { classId: string; confidence: number } {
  return { classId: className, confidence };
}
