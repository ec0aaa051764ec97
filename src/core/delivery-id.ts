// Public delivery ids: the id of the run, and the position in its workflow of the step that asked. The same step of the
// same run always gets the same one, which is what makes a repeated plan harmless.

const DELIVERY_ID = /^dlv_([0-9a-z]+)_(0|[1-9]\d{0,5})$/;

export function deliveryIdOf(runId: string, stepNo: number): string {
  return `dlv_${runId.slice('run_'.length)}_${stepNo}`;
}

/** Null for a text that cannot be a delivery id; the run id is not checked further. */
export function parseDeliveryId(id: string): { runId: string; stepNo: number } | null {
  const match = DELIVERY_ID.exec(id);
  return match === null ? null : { runId: `run_${match[1]}`, stepNo: Number(match[2]) };
}
