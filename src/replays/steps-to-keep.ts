// Selects the steps that a new run keeps from a failed one: what has ended is not done again.

import { isDeepStrictEqual } from 'node:util';
import { parseDeliveryId } from '../core/delivery/delivery-id.ts';
import { isItem, isOfItem, itemName, outermostStep, visitsToResume } from '../core/run/item-visits.ts';
import type { Workflow } from '../core/workflow/plan.ts';
import type { KeptSteps } from '../engine/execution/program.ts';
import type { RunRecord } from '../storage/runs/run-queries.ts';
import type { StepRecord } from '../storage/runs/run-records.ts';
import type { Storage } from '../storage/storage.ts';

/** A run has at most one delivery for each visit of a step, which are at most so many in loops and for items. */
const MAX_DELIVERIES = 25_000;

export async function stepsToKeep(run: RunRecord, storage: Pick<Storage, 'listDeliveries' | 'getDelivery'>): Promise<KeptSteps> {
  const visits = run.steps.filter((record) => !isFailedItem(record, run.steps));
  const records = visitsToResume(visits, (record) => !isKept(record));
  const results = records.some(isAwaiting) ? await deliveredResults(run, records, storage) : [];
  const steps = records.flatMap((record) => {
    const isOver = isKept(record) || results.some(({ step, visit }) => step === record.step && visit === record.visit);
    return isOver ? [record] : record.visit > 1 && !isOfItem(record.step) ? [reopened(record)] : [];
  });
  return { steps, results };
}

/** Returns the names of kept steps that are not in the workflow, or are there with other settings. */
export function changedSteps({ steps }: KeptSteps, original: Workflow, workflow: Workflow): string[] {
  const find = ({ steps: planned }: Workflow, name: string) => planned.find((step) => step.name === name);
  return [...new Set(steps.map(({ step }) => outermostStep(step)))].filter(
    (name) => !isDeepStrictEqual(find(original, name)?.written, find(workflow, name)?.written) || find(workflow, name) === undefined,
  );
}

/**
 * A step that failed and chose others instead of ending the run is over too: its error is an output. So is a failed item. A
 * skipped step that had started was stopped, because another one had failed.
 */
function isKept({ step, status, outputs, startedAt }: StepRecord): boolean {
  if (status === 'skipped') return startedAt === null;
  return status === 'completed' || (status === 'failed' && (outputs !== null || isItem(step)));
}

/** The item has failed its for_each step, and runs again. */
function isFailedItem({ step, status }: StepRecord, records: readonly StepRecord[]): boolean {
  return isItem(step) && status === 'failed' && records.some((record) => itemName(record.step) === step && record.status === 'failed');
}

const isAwaiting = ({ status, dueAt }: StepRecord): boolean => status === 'waiting' && dueAt === null;

/** The run ended before the steps could take these results. */
async function deliveredResults(
  { id: runId }: RunRecord,
  records: readonly StepRecord[],
  storage: Pick<Storage, 'listDeliveries' | 'getDelivery'>,
): Promise<KeptSteps['results']> {
  const delivered = await storage.listDeliveries({ runId, status: 'delivered', limit: MAX_DELIVERIES });
  const results: KeptSteps['results'] = [];
  for (const { id, step } of delivered) {
    const visit = parseDeliveryId(id)?.visit ?? 1;
    if (!records.some((record) => record.step === step && record.visit === visit && isAwaiting(record))) continue;
    const result = (await storage.getDelivery(id))?.tries.at(-1)?.result;
    if (result !== undefined) results.push({ step, visit, result });
  }
  return results;
}

/** The visit begins again; its number and its back edge stay. */
function reopened({ step, type, visit, backTo }: StepRecord): StepRecord {
  const nothing = { outputs: null, chosen: null, error: null, startedAt: null, finishedAt: null, dueAt: null, awaits: null };
  return { step, type, visit, backTo, status: 'pending', attempt: 0, ...nothing };
}
