// Builds predictions.json of Robovision's camera inference from a payload. Only image classification is Robovision's own
// shape, observed on the wire; this project proposes the other four, modelled on it.

import type { Payload, Prediction } from '../../payloads/payload.ts';

type Shape = 'object_detection' | 'image_classification' | 'multilabel_classification' | 'instance_segmentation' | 'semantic_segmentation';

/** `maskNames`: the file of each sent mask, by its index in the payload. */
export function predictionsDocument(payload: Payload, maskNames: ReadonlyMap<number, string>): object {
  const { predictions } = payload;
  const maskOf = ({ mask }: Prediction): object => {
    const name = mask === null ? undefined : maskNames.get(mask);
    return name === undefined ? {} : { mask: name };
  };
  switch (shapeOf(payload, maskNames.size > 0)) {
    case 'image_classification':
      return { kind: 'ImageClassification.v1', ...labelOf(predictions[0] as Prediction) };
    case 'multilabel_classification':
      return { kind: 'MultilabelImageClassification.v1', labels: predictions.map(labelOf) };
    case 'instance_segmentation':
      return { kind: 'InstanceSegmentation.v1', instances: predictions.map((one) => ({ ...labelOf(one), ...maskOf(one) })) };
    case 'semantic_segmentation':
      return { kind: 'SemanticSegmentation.v1', segments: predictions.map((one) => ({ classId: one.class, ...maskOf(one) })) };
    case 'object_detection':
      return { kind: 'ObjectDetection.v1', objects: predictions.map((one) => ({ ...labelOf(one), ...boxOf(one) })) };
  }
}

/** Robovision's own kind, or the kind that preserves most of another platform's predictions. */
function shapeOf({ kind, predictions }: Payload, hasMasks: boolean): Shape {
  const isOne = predictions.length === 1;
  switch (kind) {
    case 'robovision.object_detection':
      return 'object_detection';
    case 'robovision.instance_segmentation':
      return 'instance_segmentation';
    case 'robovision.semantic_segmentation':
      return 'semantic_segmentation';
    case 'robovision.multilabel_classification':
      return 'multilabel_classification';
  }
  if (hasMasks) return 'instance_segmentation';
  const isLabelled = predictions.length > 0 && predictions.every(({ type }) => type === 'label' || type === 'tag');
  if (!isLabelled) return 'object_detection';
  return isOne ? 'image_classification' : 'multilabel_classification';
}

function labelOf({ class: name, confidence }: Prediction): object {
  return confidence === null ? { classId: name } : { classId: name, confidence };
}

function boxOf({ bounding_box: box, polygon }: Prediction): object {
  const boundingBox = box ?? boxAround((polygon ?? []).flat());
  return boundingBox === null ? {} : { boundingBox };
}

function boxAround(points: readonly { x: number; y: number }[]): { x: number; y: number; width: number; height: number } | null {
  if (points.length === 0) return null;
  let [left, top, right, bottom] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { x, y } of points) {
    left = Math.min(left, x);
    top = Math.min(top, y);
    right = Math.max(right, x);
    bottom = Math.max(bottom, y);
  }
  return { x: left, y: top, width: right - left, height: bottom - top };
}
