// Typed payloads for tests of V7's stages.

import { makePrediction, type Payload, type Prediction } from '../../src/payloads/payload.ts';

export function prediction(fields: Partial<Prediction> = {}): Prediction {
  return makePrediction({ class: 'car', type: 'bounding_box', ...fields });
}

export function payload(predictions: Prediction[] = [], fields: Partial<Payload> = {}): Payload {
  return {
    kind: 'v7.stage',
    source: 'v7',
    item: { id: 'item-1', name: 'a.png', path: '/', dataset: 'cars', team: 'team', width: 640, height: 480, frame_count: null, url: null },
    image: null,
    predictions,
    masks: [],
    document: null,
    metadata: { version: '2.0', item: { name: 'a.png' } },
    has_annotations: true,
    omits_outlines: false,
    ...fields,
  };
}

/** Values that a step may receive instead of a payload. */
export const NO_PAYLOADS: readonly unknown[] = [
  null,
  undefined,
  'text',
  7,
  [],
  {},
  { kind: 'v7.stage', source: 'v7' },
  { ...payload(), source: 'other' },
  { ...payload(), predictions: {} },
  { ...payload(), predictions: [null] },
  { ...payload(), predictions: [{ ...prediction(), class: 1 }] },
  { ...payload(), predictions: [{ ...prediction(), attributes: 'wet' }] },
  { ...payload(), predictions: [{ ...prediction(), properties: [{ value: 1 }] }] },
  { ...payload(), predictions: [{ ...prediction(), annotators: [null] }] },
];
