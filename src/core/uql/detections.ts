// Detections: the JSON of an object detection model, `{"image":{"width","height"},"predictions":[…]}`. There is no other
// sign of them, so this is the rule: an object whose `image` is an object and whose `predictions` is a list, empty or
// with `x`, `y`, `width`, `height` and `confidence` as numbers, `class` as text and `class_id` as an integer in every
// item, and that has neither `top` nor `predicted_classes`, which are signs of a classification. Such an object is
// detections to every operation: its length is the number of its predictions, and its items are they.

import { isDict, kindOf } from '../python/kind.ts';
import { readNumber } from '../python/number.ts';
import { inColumns, type Row } from './detection-columns.ts';

/** Corners, as the operations move them. A box may be inside out after a negative offset. */
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

/** One prediction, taken apart. */
export class Detection {
  readonly box: Box;
  readonly confidence: number;
  readonly classId: bigint;
  readonly className: string;
  /** The prediction as it came, for all that is not above. */
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

/** What travels from one detection operation to the next; JSON again at the end of their chain. */
export class Detections {
  readonly items: readonly Detection[];
  /** The predictions as they came, which tell what a set has brought along after all of them are filtered out. */
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

/** Null for what is no detections. */
export function readDetections(value: unknown): Detections | null {
  if (value instanceof Detections) return value;
  if (!isDict(value) || Object.hasOwn(value, 'top') || Object.hasOwn(value, 'predicted_classes')) return null;
  const { image, predictions } = value;
  if (!isDict(image) || !Array.isArray(predictions)) return null;
  const size = { width: image['width'] ?? null, height: image['height'] ?? null };
  if (!predictions.every(isPrediction)) return null;
  const rows = inColumns(predictions.filter((prediction) => !hasBrokenMask(prediction)));
  return new Detections({ items: rows.map((row) => takeApart(row, size)), rows, image: size });
}

/** One item of the predictions, alone: null for what is none. */
export function readDetection(value: unknown): Detection | null {
  if (value instanceof Detection) return value;
  return isPrediction(value) ? takeApart(value, { width: null, height: null }) : null;
}

function isPrediction(value: unknown): value is Row {
  if (!isDict(value)) return false;
  const { class: className, class_id: classId } = value;
  return typeof className === 'string' && kindOf(classId) === 'int' && NUMBERS.every((name) => Number.isFinite(readFloat(value[name])));
}

function takeApart(fields: Row, image: ImageSize): Detection {
  const [x, y, width, height, confidence] = NUMBERS.map((name) => readFloat(fields[name])) as [number, number, number, number, number];
  const [xMin, yMin] = [x - width / 2, y - height / 2];
  const box = { xMin, yMin, xMax: xMin + width, yMax: yMin + height };
  const classId = readNumber(fields['class_id']) as bigint;
  return new Detection({ box, confidence, className: fields['class'] as string, classId, fields, image });
}

const NUMBERS = ['x', 'y', 'width', 'height', 'confidence'];

/** NaN for what is no number. */
function readFloat(value: unknown): number {
  const kind = kindOf(value);
  return kind === 'int' || kind === 'float' ? Number(value) : Number.NaN;
}

/** A mask of fewer than three points has no inside, and its detection is dropped. */
function hasBrokenMask({ points }: Row): boolean {
  return Array.isArray(points) && points.length < 3;
}
