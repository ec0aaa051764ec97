// The properties of a detection: those of its box and class, and the extra values of its prediction.

import { toInteger } from '../../../python/arithmetic.ts';
import { toValue } from '../../../python/number.ts';
import { roundTo } from '../../../python/rounding.ts';
import { itemAt, itemsOf } from '../../../python/sequence.ts';
import { Tuple } from '../../../python/tuple.ts';
import type { Row } from '../../detection-columns.ts';
import type { Box, Detection, Detections, ImageSize } from '../../detections.ts';
import { choiceParameter } from '../parameter.ts';

type Point = readonly [x: number, y: number];

const POINTS = {
  center: ({ xMin, yMin, xMax, yMax }: Box): Point => [xMin + (xMax - xMin) / 2, yMin + (yMax - yMin) / 2],
  top_left: ({ xMin, yMin }: Box): Point => [xMin, yMin],
  top_right: ({ xMax, yMin }: Box): Point => [xMax, yMin],
  bottom_left: ({ xMin, yMax }: Box): Point => [xMin, yMax],
  bottom_right: ({ xMax, yMax }: Box): Point => [xMax, yMax],
};

const VALUES = {
  confidence: ({ confidence }: Detection): unknown => toValue(confidence),
  class_name: ({ className }: Detection): unknown => className,
  class_id: ({ classId }: Detection): unknown => toValue(classId),
  x_min: ({ box }: Detection): unknown => toValue(box.xMin),
  y_min: ({ box }: Detection): unknown => toValue(box.yMin),
  x_max: ({ box }: Detection): unknown => toValue(box.xMax),
  y_max: ({ box }: Detection): unknown => toValue(box.yMax),
  size: ({ box }: Detection): unknown => toValue((box.yMax - box.yMin) * (box.xMax - box.xMin)),
};

const EXTRA_PROPERTIES = [
  'in_out',
  'path_deviation',
  'polygon',
  'time_in_zone',
  'tracker_id',
  'velocity',
  'speed',
  'smoothed_velocity',
  'smoothed_speed',
  'image_dimensions',
  'prediction_type',
  'keypoints_xy',
  'rect',
  'width',
  'height',
  'angle',
  'area_px',
  'area_converted',
] as const;

type PointName = keyof typeof POINTS;
type ValueName = keyof typeof VALUES;
export type DetectionProperty = PointName | ValueName | (typeof EXTRA_PROPERTIES)[number];

export const detectionPropertyParameter = choiceParameter<DetectionProperty>(
  [...(Object.keys(VALUES) as ValueName[]), ...(Object.keys(POINTS) as PointName[]), ...EXTRA_PROPERTIES],
  { description: 'The property; those other than box and class exist only if the prediction has them' },
);

/** Undefined if the detection lacks the property. A point is a tuple, or a list of whole pixels if rounded. */
export function propertyOf(detection: Detection, name: DetectionProperty, isRounded: boolean): unknown {
  if (isPointName(name)) {
    const point = POINTS[name](detection.box);
    return isRounded ? point.map((coordinate) => toValue(toInteger(roundTo(coordinate, 0)))) : Tuple.from(point.map(toValue));
  }
  return isValueName(name) ? VALUES[name](detection) : extraValueOf(detection.fields, detection.image, name);
}

/**
 * True if a prediction has the property or had it before it was filtered out. A set that another step emptied has neither
 * predictions nor an image size; it may have had any property.
 */
export function hasProperty({ rows, image }: Detections, name: DetectionProperty): boolean {
  if (isPointName(name) || isValueName(name)) return true;
  if (rows.length === 0) return image.width === null && image.height === null;
  return rows.some((row) => extraValueOf(row, image, name) !== undefined);
}

function isPointName(name: DetectionProperty): name is PointName {
  return Object.hasOwn(POINTS, name);
}

function isValueName(name: DetectionProperty): name is ValueName {
  return Object.hasOwn(VALUES, name);
}

function extraValueOf(fields: Row, image: ImageSize, name: string): unknown {
  switch (name) {
    case 'tracker_id':
      // Roboflow stores it in a place that its own extraction does not read.
      return undefined;
    case 'image_dimensions':
      return image.height === null || image.width === null ? undefined : [image.height, image.width];
    case 'keypoints_xy':
      return fields['keypoints'] === undefined ? undefined : itemsOf(fields['keypoints']).map(pointOfKeypoint);
    default:
      return fields[name];
  }
}

function pointOfKeypoint(keypoint: unknown): unknown[] {
  return [itemAt(keypoint, 'x'), itemAt(keypoint, 'y')];
}
