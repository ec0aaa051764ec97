// Finds the responses of Roboflow models in a body, by their shape: detections, whose x and y are the centre of the box,
// and classifications with one class or several. One item of another shape disqualifies its whole list.

import { orFault } from '../bad-payload.ts';
import { isPayloadFault } from '../format.ts';
import { readRings } from '../geometry.ts';
import type { JsonCursor } from '../json-cursor.ts';
import { makePrediction, type Prediction } from '../payload.ts';

export interface Response {
  predictions: Prediction[];
  width: number | null;
  height: number | null;
}

/** Returns the body if it is a response, else its values that are responses, in key order. */
export function findResponses(body: JsonCursor): Response[] {
  const own = readResponse(body);
  if (own !== null) return [own];
  return body.entries().flatMap(([, value]) => readResponse(value) ?? []);
}

function readResponse(response: JsonCursor): Response | null {
  const found = response.at('predictions');
  const predictions = orFault(() => readPredictions(found));
  if (predictions === null || isPayloadFault(predictions)) return null;
  const image = response.at('image');
  return { predictions, width: image.at('width').sizeIfAny(), height: image.at('height').sizeIfAny() };
}

function readPredictions(found: JsonCursor): Prediction[] | null {
  if (found.isList)
    return found.items().map((item) => (item.at('x').isGiven ? readDetection(item) : readLabel(item.at('class').text(), item)));
  const classes = found.entries();
  return classes.length === 0 ? null : classes.map(([name, item]) => readLabel(name, item));
}

function readLabel(name: string, item: JsonCursor): Prediction {
  const confidence = item.at('confidence').confidence() ?? item.refuse('must have a confidence');
  return makePrediction({ class: name, confidence, type: 'label' });
}

function readDetection(item: JsonCursor): Prediction {
  const [x, y, width, height] = ['x', 'y', 'width', 'height'].map((side) => item.at(side).number()) as [number, number, number, number];
  const points = item.at('points');
  return makePrediction({
    id: item.at('detection_id').textIfAny(),
    class: item.at('class').text(),
    confidence: item.at('confidence').confidence(),
    type: typeOf(item),
    bounding_box: { x: x - width / 2, y: y - height / 2, width, height },
    polygon: points.isGiven ? readRings(points) : null,
  });
}

function typeOf(item: JsonCursor): string {
  if (item.at('points').isGiven) return 'polygon';
  if (item.at('rle_mask').isGiven) return 'mask';
  return item.at('keypoints').isGiven ? 'keypoint' : 'bounding_box';
}
