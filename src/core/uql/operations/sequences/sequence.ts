// Python's sequence functions for operations and statements; detections count as the sequence of their predictions.

import { itemsOf as pythonItemsOf, lengthOf as pythonLengthOf } from '../../../python/sequence.ts';
import { isTruthy as isPythonTruthy } from '../../../python/truth.ts';
import { readDetections } from '../../detections.ts';
import { withDetectionsAsJson } from '../../detections-json.ts';

export function lengthOf(value: unknown): number {
  return readDetections(value)?.items.length ?? pythonLengthOf(value);
}

export function itemsOf(value: unknown): readonly unknown[] {
  return readDetections(value)?.items.map(withDetectionsAsJson) ?? pythonItemsOf(value);
}

export function isTruthy(value: unknown): boolean {
  const detections = readDetections(value);
  return detections === null ? isPythonTruthy(value) : detections.items.length > 0;
}
