// Selects the steps that a new run keeps from a failed one: what has ended is not done again.

import { isDeepStrictEqual } from 'node:util';
import { parseDeliveryId } from '../core/delivery/delivery-id.ts';
import type { OutboundResult } from '../core/delivery/outbound.ts';
import type { Workflow } from '../core/workflow/plan.ts';
import type { KeptSteps } from '../engine/execution/program.ts';
import type { RunRecord, StepRecord } from '../storage/run-records.ts';
import type { Storage } from '../storage/storage.ts';

/** A run has at most one delivery for each visit of a step. */
const MAX_DELIVERIES = 10_000;

export async function stepsToKeep(run: RunRecord, storage: Pick<Storage, 'listDeliveries' | 'getDelivery'>): Promise<KeptSteps> {
  const records = lastVisits(run.steps);
  const results = records.some(isAwaiting) ? await deliveredResults(run, records, storage) : [];
  const steps = records.flatMap((record) => {
    const isOver = isKept(record, run) || results.some(({ step }) => step === record.step);
    return isOver ? [record] : record.visit > 1 ? [reopened(record)] : [];
  });
  return { steps, results };
}

/** Returns the names of kept steps that are not in the workflow, or are there with other settings. */
export function changedSteps({ steps }: KeptSteps, original: Workflow, workflow: Workflow): string[] {
  const find = ({ steps: planned }: Workflow, name: string) => planned.find((step) => step.name === name);
  return steps
    .map(({ step }) => step)
    .filter(
      (name) => !isDeepStrictEqual(find(original, name)?.written, find(workflow, name)?.written) || find(workflow, name) === undefined,
    );
}

/** A step that failed and chose others instead of ending the run is over too. */
function isKept({ step, status }: StepRecord, { error }: RunRecord): boolean {
  return status === 'completed' || status === 'skipped' || (status === 'failed' && step !== error?.step);
}

const isAwaiting = ({ status, dueAt }: StepRecord): boolean => status === 'waiting' && dueAt === null;

/** The run ended before the steps could take these results. */
async function deliveredResults(
  { id: runId }: RunRecord,
  records: readonly StepRecord[],
  storage: Pick<Storage, 'listDeliveries' | 'getDelivery'>,
): Promise<{ step: string; result: OutboundResult }[]> {
  const delivered = await storage.listDeliveries({ runId, status: 'delivered', limit: MAX_DELIVERIES });
  const results: { step: string; result: OutboundResult }[] = [];
  for (const { id, step } of delivered) {
    const visit = parseDeliveryId(id)?.visit;
    if (!records.some((record) => record.step === step && record.visit === visit && isAwaiting(record))) continue;
    const result = (await storage.getDelivery(id))?.tries.at(-1)?.result;
    if (result !== undefined) results.push({ step, result });
  }
  return results;
}

/** The visit begins again; its number and its back edge stay. */
function reopened({ step, type, visit, backTo }: StepRecord): StepRecord {
  const nothing = { outputs: null, chosen: null, error: null, startedAt: null, finishedAt: null, dueAt: null, awaits: null };
  return { step, type, visit, backTo, status: 'pending', attempt: 0, ...nothing };
}

function lastVisits(records: readonly StepRecord[]): StepRecord[] {
  const last = new Map<string, StepRecord>();
  for (const record of records) if (record.visit >= (last.get(record.step)?.visit ?? 1)) last.set(record.step, record);
  return [...last.values()];
}
