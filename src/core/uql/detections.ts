// Detections: the JSON of an object detection model, `{"image":{"width","height"},"predictions":[…]}`. They have no marker,
// so their shape identifies them: `image` is an object; `predictions` is a list; every item has `x`, `y`, `width`, `height`
// and `confidence` as numbers, `class` as text and `class_id` as an integer; and there is neither `top` nor
// `predicted_classes`, which mark a classification. To every operation, the length of such an object is the number of its
// predictions, and its items are the predictions.

import { isDict, kindOf } from '../python/kind.ts';
import { readNumber } from '../python/number.ts';
import { type Row, unifyColumns } from './detection-columns.ts';

/** In pixels. A negative offset may leave a box with `xMax` below `xMin`. */
export interface Box {
  readonly xMin: number;
  readonly yMin: number;
  readonly xMax: number;
  readonly yMax: number;
}

export interface ImageSize {
  readonly width: unknown;
  readonly height: unknown;
}

/** One parsed prediction. */
export class Detection {
  readonly box: Box;
  readonly confidence: number;
  readonly classId: bigint;
  readonly className: string;
  /** The prediction as received, with its extra values. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly image: ImageSize;

  constructor(parts: Readonly<Pick<Detection, 'box' | 'confidence' | 'classId' | 'className' | 'fields' | 'image'>>) {
    this.box = parts.box;
    this.confidence = parts.confidence;
    this.classId = parts.classId;
    this.className = parts.className;
    this.fields = parts.fields;
    this.image = parts.image;
  }

  with(change: Partial<Pick<Detection, 'box' | 'classId' | 'className'>>): Detection {
    return new Detection({ ...this, ...change });
  }
}

/** The value between two detection operations. The end of a chain converts it to JSON. */
export class Detections {
  readonly items: readonly Detection[];
  /** The predictions as received. They show which extra values exist, even after all items are filtered out. */
  readonly rows: readonly Row[];
  readonly image: ImageSize;

  constructor({ items, rows, image }: Readonly<Pick<Detections, 'items' | 'rows' | 'image'>>) {
    this.items = items;
    this.rows = rows;
    this.image = image;
  }

  with(items: readonly Detection[]): Detections {
    return new Detections({ ...this, items });
  }
}

/** Null if the value is not detections. */
export function readDetections(value: unknown): Detections | null {
  if (value instanceof Detections) return value;
  if (!isDict(value) || Object.hasOwn(value, 'top') || Object.hasOwn(value, 'predicted_classes')) return null;
  const { image, predictions } = value;
  if (!isDict(image) || !Array.isArray(predictions)) return null;
  const size = { width: image['width'] ?? null, height: image['height'] ?? null };
  if (!predictions.every(isPrediction)) return null;
  const rows = unifyColumns(predictions.filter((prediction) => !hasBrokenMask(prediction)));
  return new Detections({ items: rows.map((row) => parsePrediction(row, size)), rows, image: size });
}

/** Reads a single prediction; null if the value is not one. */
export function readDetection(value: unknown): Detection | null {
  if (value instanceof Detection) return value;
  return isPrediction(value) ? parsePrediction(value, { width: null, height: null }) : null;
}

function isPrediction(value: unknown): value is Row {
  if (!isDict(value)) return false;
  const { class: className, class_id: classId } = value;
  return typeof className === 'string' && kindOf(classId) === 'int' && NUMBERS.every((name) => Number.isFinite(readFloat(value[name])));
}

function parsePrediction(fields: Row, image: ImageSize): Detection {
  const [x, y, width, height, confidence] = NUMBERS.map((name) => readFloat(fields[name])) as [number, number, number, number, number];
  const [xMin, yMin] = [x - width / 2, y - height / 2];
  const box = { xMin, yMin, xMax: xMin + width, yMax: yMin + height };
  const classId = readNumber(fields['class_id']) as bigint;
  return new Detection({ box, confidence, className: fields['class'] as string, classId, fields, image });
}

const NUMBERS = ['x', 'y', 'width', 'height', 'confidence'];

/** NaN if the value is not a number. */
function readFloat(value: unknown): number {
  const kind = kindOf(value);
  return kind === 'int' || kind === 'float' ? Number(value) : Number.NaN;
}

/** A mask of fewer than three points has no area, and its detection is dropped. */
function hasBrokenMask({ points }: Row): boolean {
  return Array.isArray(points) && points.length < 3;
}
