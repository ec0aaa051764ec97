// Samples of Roboflow's Webhook Sink block: a JSON body, a form, and a form with files.

import type { BoundingBox } from '../payload.ts';
import { encodeGreyJpeg } from './encode-jpeg.ts';
import { SeededRandom } from './random.ts';
import { jsonBytes, type SampleOptions, type SampleRequest, textBytes } from './sample.ts';
import { drawScene, makeScene, type Thing } from './scene.ts';

export function roboflowJsonSample(options: SampleOptions): SampleRequest {
  return { contentType: 'application/json', body: jsonBytes(fieldsOf(options)) };
}

export function roboflowFormSample(options: SampleOptions): SampleRequest {
  return { contentType: 'application/x-www-form-urlencoded', body: textBytes(new URLSearchParams(textFields(options)).toString()) };
}

/** Like the block, it puts fields before files, and gives a file its field's name and no content type. */
export function roboflowMultipartSample(options: SampleOptions): SampleRequest {
  const fields = textFields(options).map(([name, text]) => ({ name, filename: null, contentType: null, bytes: textBytes(text) }));
  const pixels = drawScene(sceneOf(options), options);
  const image = { name: 'image', filename: 'image', contentType: null, bytes: encodeGreyJpeg(options, pixels) };
  return { contentType: 'multipart/form-data', parts: options.image ? [...fields, image] : fields };
}

function sceneOf(options: SampleOptions): Thing[] {
  return makeScene(options, new SeededRandom(options.seed));
}

function fieldsOf(options: SampleOptions): Record<string, unknown> {
  const { width, height } = options;
  const head = { camera: 'dock-2', detections_number: options.objects };
  if (!options.annotations) return head;
  const random = new SeededRandom(options.seed + 1);
  const predictions = sceneOf(options).map(({ className, confidence, box }, class_id) => ({
    ...aroundCentre(box),
    confidence,
    class_id,
    class: className,
    detection_id: random.uuid(),
    parent_id: 'image',
  }));
  return { ...head, predictions: { image: { width, height }, predictions } };
}

function aroundCentre({ x, y, width, height }: BoundingBox): BoundingBox {
  return { width, height, x: x + width / 2, y: y + height / 2 };
}

function textFields(options: SampleOptions): [string, string][] {
  return Object.entries(fieldsOf(options)).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]);
}
