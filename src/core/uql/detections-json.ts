// Serialises detections as Roboflow does: keys in a fixed order, floats as floats, and unknown keys at the end.

import { isDict } from '../python/kind.ts';
import { readNumber, toValue } from '../python/number.ts';
import { Detection, Detections } from './detections.ts';

/** Converts Detections or a Detection to JSON; returns any other value unchanged. */
export function withDetectionsAsJson(value: unknown): unknown {
  if (value instanceof Detections) return detectionsJson(value);
  return value instanceof Detection ? predictionJson(value) : value;
}

/** Each prediction carries the size of the image, so without predictions the size is null. */
export function detectionsJson({ items }: Detections): Record<string, unknown> {
  const { width, height } = items.at(-1)?.image ?? { width: null, height: null };
  return { image: { width, height }, predictions: items.map(predictionJson) };
}

function predictionJson(detection: Detection): Record<string, unknown> {
  const { box, fields } = detection;
  const width = Math.abs(box.xMax - box.xMin);
  const height = Math.abs(box.yMax - box.yMin);
  // A rotated rectangle has its own width and height, not those of its bounding box.
  const isTurned = fields['angle'] !== undefined && fields['rect'] !== undefined;
  const known: Record<string, unknown> = {
    width: isTurned ? fields['width'] : toValue(width),
    height: isTurned ? fields['height'] : toValue(height),
    x: toValue(box.xMin + width / 2),
    y: toValue(box.yMin + height / 2),
    confidence: toValue(detection.confidence),
    class_id: toValue(detection.classId),
    points: fields['points'],
    tracker_id: fields['tracker_id'],
    class: detection.className,
  };
  const names = [...Object.keys(known), ...OPTIONAL_KEYS, ...Object.keys(fields)];
  const entries = names.map((name): [string, unknown] => [name, Object.hasOwn(known, name) ? known[name] : fields[name]]);
  return Object.fromEntries(
    entries.filter(([, field]) => field !== undefined).map(([name, field]) => [name, FIELD_WRITERS.get(name)?.(field) ?? field]),
  );
}

/** In Roboflow's order. */
const OPTIONAL_KEYS = [
  'detection_id',
  'path_deviation',
  'time_in_zone',
  'polygon',
  'angle',
  'rect',
  'parent_id',
  'parent_origin',
  'root_parent_id',
  'root_parent_origin',
  'keypoints',
  'data',
  'velocity',
  'speed',
  'smoothed_velocity',
  'smoothed_speed',
  'area_px',
  'area_converted',
];

const FIELD_WRITERS: ReadonlyMap<string, (field: unknown) => unknown> = new Map([
  ['points', (points: unknown) => eachOf(points, (point) => withFloats(point, ['x', 'y']))],
  ['keypoints', (keypoints: unknown) => eachOf(keypoints, (keypoint) => withFloats(inOrder(keypoint), ['confidence', 'x', 'y']))],
  ['speed', asFloat],
  ['smoothed_speed', asFloat],
  ['area_px', asFloat],
  ['area_converted', asFloat],
]);

function inOrder(keypoint: Record<string, unknown>): Record<string, unknown> {
  const { class_id, class: className, confidence, x, y, ...others } = keypoint;
  return { class_id, class: className, confidence, x, y, ...others };
}

function withFloats(object: Record<string, unknown>, names: readonly string[]): Record<string, unknown> {
  const fields = Object.entries(object).filter(([, field]) => field !== undefined);
  return Object.fromEntries(fields.map(([name, field]) => [name, names.includes(name) ? asFloat(field) : field]));
}

function eachOf(list: unknown, change: (item: Record<string, unknown>) => unknown): unknown {
  return Array.isArray(list) ? list.map((item) => (isDict(item) ? change(item) : item)) : list;
}

/** Returns a value that is not a number unchanged. */
function asFloat(value: unknown): unknown {
  const number = readNumber(value);
  return number === null ? value : toValue(Number(number));
}
