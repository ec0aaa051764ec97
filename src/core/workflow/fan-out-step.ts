// A step that lists several receivers, `urls` of sluice/forward@v1. It becomes one step per URL when the workflow is planned, so
// that each has a delivery and retries of its own.

import type { StepDocument } from './document.ts';

export const FORWARD = 'sluice/forward@v1';
export const FORWARD_OUTPUTS = ['status', 'delivery_id'] as const;

export const MAX_URLS = 16;

export function isFanOut({ type, urls }: { type?: unknown; urls?: unknown }): boolean {
  return type === FORWARD && Array.isArray(urls);
}

/** Returns the steps of a fan-out without faults, by the number of their URL. */
export function stepsPerUrl({ urls, ...shared }: StepDocument): StepDocument[] {
  return (urls as readonly unknown[]).map((url, index) => ({ ...shared, name: String(index + 1), url }) as StepDocument);
}
