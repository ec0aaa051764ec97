// Decides which frames are events: at least one prediction has a listed class and enough confidence.

import type { Payload } from '../../payloads/payload.ts';

export interface EventFilter {
  /** Null: any class. */
  classes: readonly string[] | null;
  minConfidence: number | null;
}

/** Null for an event; else the missing condition. A prediction without a confidence counts as certain. */
export function missingEvent({ predictions }: Payload, { classes, minConfidence }: EventFilter): string | null {
  if (classes === null && minConfidence === null) return null;
  const isEvent = predictions.some(
    (one) => (classes === null || classes.includes(one.class)) && (minConfidence === null || (one.confidence ?? 1) >= minConfidence),
  );
  if (isEvent) return null;
  const ofClasses = classes === null ? '' : ` of ${classes.map((name) => JSON.stringify(name)).join(', ')}`;
  return `no prediction${ofClasses}${minConfidence === null ? '' : ` with a confidence of at least ${minConfidence}`}`;
}
