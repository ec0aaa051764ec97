// Reads a vision platform's payload from a manifest. A selector can select any value, so its shape is validated first.

import { stringifyShown } from '../../core/json/stored-value.ts';
import { isDict } from '../../core/python/kind.ts';
import { createSchemaCheck, type JsonSchema } from '../../core/schema.ts';
import type { Payload } from '../../payloads/payload.ts';

/** Thrown when the value is not a payload; the message names the location of the fault. */
export class UnfitPayload extends Error {}

const text = { type: 'string' };
const textOrNull = { type: ['string', 'null'] };
const numberOrNull = { type: ['number', 'null'] };
const index = { type: 'integer', minimum: 0 };

const object = (properties: Record<string, JsonSchema>): JsonSchema => ({ type: 'object', required: Object.keys(properties), properties });
const list = (items: JsonSchema): JsonSchema => ({ type: 'array', items });

/** A nullable schema whose fault still names the location inside an object. */
const orNull = (schema: JsonSchema): JsonSchema => ({ ...schema, type: [schema['type'], 'null'] });

const file = object({ name: text, filename: textOrNull, content_type: text, size: index, sha256: text });
const point = object({ x: { type: 'number' }, y: { type: 'number' } });
const box = object({ x: { type: 'number' }, y: { type: 'number' }, width: { type: 'number' }, height: { type: 'number' } });
const prediction = object({
  class: text,
  confidence: numberOrNull,
  type: text,
  bounding_box: orNull(box),
  polygon: orNull(list(list(point))),
  mask: { type: ['integer', 'null'], minimum: 0 },
  text: textOrNull,
  attributes: list(text),
  properties: list(object({ name: text })),
  annotators: list(object({})),
});
const mask = object({ name: textOrNull, file: orNull(file), class: textOrNull, predictions: list(index) });

const check = createSchemaCheck(
  object({
    kind: text,
    source: { enum: ['robovision', 'v7', 'roboflow'] },
    image: orNull(file),
    predictions: list(prediction),
    masks: list(mask),
    document: orNull(file),
    has_annotations: { type: 'boolean' },
    omits_outlines: { type: 'boolean' },
  }),
);

/** Throws UnfitPayload. */
export function readPayload(name: string, value: unknown): Payload {
  const read = inspect(value);
  if ('payload' in read) return read.payload;
  throw new UnfitPayload(`${name} must be the payload of a vision platform, such as "$request.payload": ${read.fault}`);
}

/** Null when the value is not a payload. */
export function asPayload(value: unknown): Payload | null {
  const read = inspect(value);
  return 'payload' in read ? read.payload : null;
}

function inspect(value: unknown): { payload: Payload } | { fault: string } {
  const payload = isDict(value) ? (JSON.parse(stringifyShown({ ...value, metadata: null })) as unknown) : value;
  const [fault] = check(payload);
  if (fault !== undefined) return { fault: `${fault.path} ${fault.message}`.trimStart() };
  const { metadata, predictions } = value as Payload;
  const plain = payload as Payload;
  // Properties may contain numbers that JavaScript cannot represent; measurements do not.
  const kept = plain.predictions.map((prediction, index) => ({ ...prediction, properties: predictions[index]?.properties ?? [] }));
  return { payload: { ...plain, predictions: kept, metadata } };
}
