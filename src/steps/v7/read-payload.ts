// A typed payload that a step is given: its shape is checked before it is trusted, as any JSON may stand in its place.

import { isDict } from '../../core/python/kind.ts';
import type { Payload } from '../../payloads/payload.ts';
import type { StepContext } from '../step-type.ts';

const SOURCES: readonly unknown[] = ['robovision', 'v7', 'roboflow'] satisfies Payload['source'][];

/** What the manifest says, and the payload of the request where it says nothing. */
export function givenPayload({ payload }: { payload?: unknown }, { roots }: Pick<StepContext, 'roots'>): unknown {
  if (payload !== undefined) return payload;
  const request = roots['request'];
  return isDict(request) ? (request['payload'] ?? null) : null;
}

/** Null for whatever is none. */
export function readPayload(value: unknown): Payload | null {
  if (!isDict(value)) return null;
  const { kind, source, predictions } = value;
  const isPayload = typeof kind === 'string' && SOURCES.includes(source) && Array.isArray(predictions) && predictions.every(isPrediction);
  return isPayload ? (value as unknown as Payload) : null;
}

function isPrediction(value: unknown): boolean {
  if (!isDict(value)) return false;
  const { class: name, type, attributes, properties, annotators } = value;
  return (
    typeof name === 'string' &&
    typeof type === 'string' &&
    isListOf(attributes, (attribute) => typeof attribute === 'string') &&
    isListOf(properties, (property) => isDict(property) && typeof property['name'] === 'string') &&
    isListOf(annotators, isDict)
  );
}

function isListOf(value: unknown, isItem: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isItem);
}

/** For the fault of a step that needs one. */
export const NO_PAYLOAD = 'is no typed payload; let the sink say "payload": "v7", and select $request.payload';
