// Validates an element of a batch-oriented input (image, video metadata, WorkflowBatchInput) by kind, with Roboflow's
// messages. A kind that is not listed accepts anything.

import { isDict, kindOf, typeName } from '../python/kind.ts';

/** Null when the value fits one of the kinds, or when one of them accepts anything. */
export function kindFault(name: string, kinds: readonly string[], value: unknown): string | null {
  const checked = kinds.filter((kind) => Object.hasOwn(KINDS, kind));
  const faults = checked.map((kind) => ({ kind, fault: (KINDS[kind] as KindCheck)(value) }));
  if (faults.length < kinds.length || faults.some(({ fault }) => fault === null)) return null;
  const texts = faults.map(({ kind, fault }) => ({ kind, text: `Detected runtime parameter \`${name}\` ${fault}` }));
  if (texts.length === 1) return (texts[0] as { text: string }).text;
  const details = texts.map(({ kind, text }) => `Kind: \`${kind}\` - Error: ${text}`).join(' ');
  return `Failed to assemble \`${name}\`. Could not successfully use any deserializer for declared kinds. Details: ${details}`;
}

/** Returns the message that follows the parameter's name, or null. */
type KindCheck = (value: unknown) => string | null;

const text = typeCheck('string value', (value) => typeof value === 'string');
const optionalText: KindCheck = (value) => (value === null ? null : text(value));
const float = typeCheck('float value', (value) => isNumber(value));
const dictionary = typeCheck('dict value', isDict);

const detections: KindCheck = (value) => {
  if (!isDict(value)) return 'declared to hold detections, but invalid type of data found.';
  if (!hasKeys(value, 'predictions', 'image')) return 'declared to hold detections, but dictionary misses required keys.';
  return Array.isArray(value['predictions']) ? null : 'declared to hold detections, but `predictions` is no list.';
};

const classification: KindCheck = (value) => {
  if (!isDict(value)) return dictionary(value);
  if (!hasKeys(value, 'image', 'predictions'))
    return "declared to hold classification prediction value, but found that one of required keys (['image', 'predictions']) is missing.";
  if (hasKeys(value, 'predicted_classes') || hasKeys(value, 'top', 'confidence')) return null;
  return 'declared to hold classification prediction value, but found that passed value misses prediction details.';
};

const point: KindCheck = (value) => {
  if (!Array.isArray(value)) return `declared to hold point coordinates, but invalid type of data found (\`${typeName(value)}\`).`;
  if (value.length < 2) return 'declared to hold point coordinates, but missing point coordinates detected.';
  return value.slice(0, 2).every(isNumber) ? null : 'declared to hold point coordinates, but at least one of the coordinate is not number';
};

const zone: KindCheck = (value) => {
  if (!Array.isArray(value) || value.length < 3)
    return 'declared to hold zone coordinates, but defined zone is not a list with at least 3 points coordinates.';
  if (value.every((item) => Array.isArray(item) && item.length === 2 && item.every(isNumber))) return null;
  return 'declared to hold zone coordinates, but defined zone contains at least one element which is not a point with exactly two coordinates (x, y) being numbers.';
};

const color: KindCheck = (value) => {
  if (typeof value === 'string') return null;
  if (!Array.isArray(value)) return `declared to hold RGB color, but invalid type of data found (\`${typeName(value)}\`).`;
  return value.length < 3 ? 'declared to hold RGB color, but not all colors defined.' : null;
};

const timestamp: KindCheck = (value) => {
  if (typeof value !== 'string') return `declared to hold datetime, but invalid type of data found (\`${typeName(value)}\`).`;
  if (ISO_TIME.test(value)) return null;
  return `declared to hold datetime, but could not decode input data: Invalid isoformat string: '${value.slice(0, 64)}'.`;
};

const ISO_TIME = /^\d{4}-?\d{2}-?\d{2}(?:.\d{2}(?::?\d{2}(?::?\d{2}(?:[.,]\d{1,9})?)?)?(?:Z|[+-]\d{2}(?::?\d{2}(?::?\d{2})?)?)?)?$/;

const unitFloat: KindCheck = (value) =>
  float(value) ??
  (Number(value) >= 0 && Number(value) <= 1 ? null : 'declared to hold float value in range [0.0, 1.0], but value out of range detected.');

const KINDS: Readonly<Record<string, KindCheck>> = {
  string: text,
  top_class: text,
  roboflow_model_id: text,
  roboflow_project: text,
  roboflow_api_key: optionalText,
  language_model_output: text,
  inference_id: text,
  boolean: typeCheck('boolean value', (value) => typeof value === 'boolean'),
  integer: typeCheck('integer value', isInteger),
  float,
  float_zero_to_one: unitFloat,
  list_of_values: typeCheck('list', Array.isArray),
  dictionary,
  bytes: typeCheck('bytes string', (value) => typeof value === 'string'),
  timestamp,
  numpy_array: typeCheck('numpy array value', Array.isArray),
  point,
  zone,
  rgb_color: color,
  object_detection_prediction: detections,
  instance_segmentation_prediction: detections,
  rle_instance_segmentation_prediction: detections,
  keypoint_detection_prediction: detections,
  qr_code_detection: detections,
  bar_code_detection: detections,
  classification_prediction: classification,
  video_metadata: (value) => (isDict(value) ? null : 'holding `WorkflowVideoMetadata`, but provided value is not a dict.'),
};

function typeCheck(what: string, fits: (value: unknown) => boolean): KindCheck {
  return (value) => (fits(value) ? null : `declared to hold ${what}, but invalid type of data found (\`${typeName(value)}\`).`);
}

function hasKeys(value: object, ...keys: string[]): boolean {
  return keys.every((key) => Object.hasOwn(value, key));
}

/** A boolean is a number in Python. */
function isNumber(value: unknown): boolean {
  return kindOf(value) === 'float' || isInteger(value);
}

function isInteger(value: unknown): boolean {
  return kindOf(value) === 'int' || kindOf(value) === 'bool';
}
