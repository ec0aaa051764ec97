// The value of an operation that takes nothing but detections.

import { type Detections, readDetections } from '../../detections.ts';
import { shownValue, wrongInput } from '../operation-fault.ts';

/** Throws for any other value; `call` is the operation as messages name it: `sort_detections(...)`. */
export function detectionsOf(value: unknown, call: string): Detections {
  const detections = readDetections(value);
  if (detections !== null) return detections;
  throw wrongInput(`Executing ${call}, expected sv.Detections object as value, got ${shownValue(value)}`);
}
