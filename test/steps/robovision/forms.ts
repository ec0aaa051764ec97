// Robovision's form for each kind of project, with its payload and received files.

import { createHash } from 'node:crypto';
import type { FileHandle } from '../../../src/core/run/request.ts';
import type { Mask, Payload, Prediction } from '../../../src/payloads/payload.ts';
import { prediction as anyPrediction, payload } from '../payloads.ts';

export interface ReceivedForm {
  payload: Payload;
  /** The files of `$request`. */
  handles: FileHandle[];
  /** By field name. */
  files: { name: string; filename: string; type: string; content: Buffer }[];
}

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
export const JPEG = Buffer.concat([
  Buffer.from([0xff, 0xd8, 0xff, 0xe0]),
  Buffer.from('\r\n--not-the-boundary\r\n\0'),
  Buffer.from([0xff, 0xd9]),
]);

export const sha256 = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');

export const prediction = (fields: Partial<Prediction> = {}): Prediction => anyPrediction({ class: 'leaf', confidence: 0.9, ...fields });

export const payloadOf = ({ predictions = [], ...fields }: Partial<Payload>): Payload =>
  payload(predictions, { kind: 'roboflow.json', source: 'roboflow', metadata: null, ...fields });

/** Two masks of instance segmentation have the same bytes under two names. */
const mask = (name: string): { name: string; content: Buffer } => ({ name, content: Buffer.concat([PNG, Buffer.from('mask')]) });

const PROJECTS: Record<string, { text: string; predictions: Prediction[]; masks: ReturnType<typeof mask>[] }> = {
  'robovision.object_detection': {
    text: '{ "kind": "ObjectDetection.v1",\n "objects": [{"classId":"leaf","confidence":0.930000000000000001,"boundingBox":{"x":1,"y":2,"width":3,"height":4}}] }',
    predictions: [prediction({ bounding_box: { x: 1, y: 2, width: 3, height: 4 } })],
    masks: [],
  },
  'robovision.image_classification': {
    text: '{\n  "kind": "ImageClassification.v1",\n  "classId": "leaf",\n  "confidence": 0.021827127784490585\n}\n',
    predictions: [prediction({ type: 'label', confidence: 0.021827127784490585 })],
    masks: [],
  },
  'robovision.multilabel_classification': {
    text: '{"kind":"MultilabelImageClassification.v1","labels":[{"classId":"wet","confidence":0.88},{"classId":"leaf","confidence":1.0}]}',
    predictions: [prediction({ type: 'label', class: 'wet' }), prediction({ type: 'label', confidence: 1 })],
    masks: [],
  },
  'robovision.instance_segmentation': {
    text: '{"kind":"InstanceSegmentation.v1","instances":[{"classId":"leaf","mask":"mask_0000.png"},{"classId":"leaf","mask":"mask_0007.png"}]}',
    predictions: [prediction({ type: 'mask', mask: 0 }), prediction({ type: 'mask', mask: 1 })],
    masks: [mask('mask_0000.png'), mask('mask_0007.png')],
  },
  'robovision.semantic_segmentation': {
    text: '{"kind":"SemanticSegmentation.v1","segments":[{"classId":"leaf","mask":"mask_0000.png"}]}',
    predictions: [prediction({ type: 'mask', mask: 0, confidence: null })],
    masks: [mask('mask_0000.png')],
  },
};

export const KINDS = Object.keys(PROJECTS);

/** Returns Robovision's form for a project of this kind. */
export function robovisionForm(kind: string, image: Buffer | null = JPEG): ReceivedForm {
  const { text, predictions, masks } = PROJECTS[kind] as (typeof PROJECTS)[string];
  const files = [
    ...(image === null ? [] : [{ name: 'image', filename: 'image.jpeg', type: 'image/jpeg', content: image }]),
    ...masks.map(({ name, content }) => ({ name: name.replace('.png', ''), filename: name, type: 'image/png', content })),
    { name: 'predictions', filename: 'predictions.json', type: 'application/json', content: Buffer.from(text) },
  ];
  const handles = files.map(({ name, filename, type, content }) => ({
    name,
    filename,
    content_type: type,
    size: content.byteLength,
    sha256: sha256(content),
  }));
  const handleOf = (filename: string): FileHandle | null => handles.find((handle) => handle.filename === filename) ?? null;
  const payloadMasks = masks.map(({ name }, index): Mask => ({ name, file: handleOf(name), class: 'leaf', predictions: [index] }));
  const [image_, document] = [handleOf('image.jpeg'), handleOf('predictions.json')];
  const typed = payloadOf({ kind, source: 'robovision', image: image_, predictions, masks: payloadMasks, document });
  return { payload: typed, handles, files };
}
