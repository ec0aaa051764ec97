// Converts text of a form, path or query to the kinds of an input. Browsers send blank text for an empty field, `on` for a
// checked box, and a single text for a list with one choice.

import { ExactNumber } from '../json/json.ts';

/** Undefined for an empty field. A non-text value, or text that fits no kind, is returned unchanged. */
export function fromText(value: unknown, kinds: readonly string[]): unknown {
  if (typeof value !== 'string' || kinds.some((kind) => kind === '*' || kind === 'string')) return value;
  if (kinds.length > 0 && kinds.every((kind) => NEVER_BLANK.has(kind)) && value.trim() === '') return undefined;
  if (kinds.some((kind) => NUMERIC.has(kind)) && NUMBER.test(value)) return numberOf(value);
  if (kinds.includes('boolean') && BOOLEANS.has(value)) return BOOLEANS.get(value);
  return kinds.includes('list_of_values') ? [value] : value;
}

const NUMERIC: ReadonlySet<string> = new Set(['integer', 'float', 'float_zero_to_one']);

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['false', false],
  ['on', true],
]);

/** Kinds that blank text never belongs to. */
const NEVER_BLANK: ReadonlySet<string> = new Set([
  ...NUMERIC,
  'boolean',
  'list_of_values',
  'dictionary',
  'timestamp',
  'image',
  'video_metadata',
  'numpy_array',
  'point',
  'zone',
  'object_detection_prediction',
  'instance_segmentation_prediction',
  'rle_instance_segmentation_prediction',
  'keypoint_detection_prediction',
  'classification_prediction',
  'qr_code_detection',
  'bar_code_detection',
]);

/** A valid floating-point number of HTML. Unlike in JSON, it may begin with zeros or a point. */
const NUMBER = /^-?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?$/;

function numberOf(text: string): number | ExactNumber {
  const json = text.replace(/^(-?)0+(?=\d)/, '$1').replace(/^(-?)\./, '$10.');
  return String(Number(json)) === json ? Number(json) : new ExactNumber(json);
}
