// Public delivery ids: run id, step position in the workflow, and the visit if it is not the first. The id is
// deterministic, so planning a visit twice is harmless. It contains no dot: Standard Webhooks ends the signed id with one.

const DELIVERY_ID = /^dlv_([0-9a-z]+)_(0|[1-9]\d{0,5})(?:_([2-9]|[1-9]\d{1,5}))?$/;

export interface DeliveryIdParts {
  runId: string;
  stepNo: number;
  visit: number;
}

export function deliveryIdOf(runId: string, stepNo: number, visit = 1): string {
  return `dlv_${runId.slice('run_'.length)}_${stepNo}${visit > 1 ? `_${visit}` : ''}`;
}

/** Null for a text that cannot be a delivery id; the run id is not checked further. */
export function parseDeliveryId(id: string): DeliveryIdParts | null {
  const match = DELIVERY_ID.exec(id);
  return match === null ? null : { runId: `run_${match[1]}`, stepNo: Number(match[2]), visit: Number(match[3] ?? 1) };
}

/** Sent with every attempt of a delivery, so that the receiver can recognise duplicates. */
export function idempotencyKeyOf(deliveryId: string, runId: string, step: string): string {
  const { visit } = parseDeliveryId(deliveryId) ?? { visit: 1 };
  return visit > 1 ? `${runId}:${step}:${visit}` : `${runId}:${step}`;
}
