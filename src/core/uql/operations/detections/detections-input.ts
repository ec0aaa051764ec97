// Reads the input of an operation that accepts only detections.

import { type Detections, readDetections } from '../../detections.ts';
import { shownValue, wrongInput } from '../operation-fault.ts';

/** Throws OperationFault for any other value. `call` is the operation's name in messages: `sort_detections(...)`. */
export function detectionsOf(value: unknown, call: string): Detections {
  const detections = readDetections(value);
  if (detections !== null) return detections;
  throw wrongInput(`Executing ${call}, expected sv.Detections object as value, got ${shownValue(value)}`);
}
