// Public delivery ids: the id of the run, the position in its workflow of the step that asked, and the visit of that
// step where it is a later one. The same visit always gets the same one, which is what makes a repeated plan harmless. No
// dot is in it, which ends the id in what Standard Webhooks signs.

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

/** What every attempt of a delivery carries, so that its receiver can tell a repetition. */
export function idempotencyKeyOf(deliveryId: string, runId: string, step: string): string {
  const { visit } = parseDeliveryId(deliveryId) ?? { visit: 1 };
  return visit > 1 ? `${runId}:${step}:${visit}` : `${runId}:${step}`;
}
