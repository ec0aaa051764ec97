// sluice/for_each@v1: runs a workflow once for each item of a list. The engine runs the items and keeps their ends.

import type { Fault } from '../core/fault.ts';
import { DEFAULT_MAX_ITEMS, FOR_EACH, MAX_CONCURRENT_ITEMS, MAX_ITEMS, readMaxItems } from '../core/workflow/for-each/for-each-step.ts';
import { innerDefinition, workflowId, workflowVersionId } from './shared/inner-definition.ts';
import { failedStep, withOperations } from './shared/operations-outcome.ts';
import { readList } from './shared/setting-values.ts';
import type { ItemResult, StepOutcome, StepPlan, StepType } from './step-type.ts';

interface ForEachManifest {
  items: unknown;
  workflow_definition?: object | null;
  workflow_id?: string | null;
  max_items?: unknown;
  max_concurrent?: unknown;
  on_item_failure?: 'stop' | 'continue';
  retry?: unknown;
}

export const forEach: StepType<ForEachManifest> = {
  type: FOR_EACH,
  nulls: 'take',
  summary:
    'Runs a workflow once for each item of a list, and outputs the outputs of all. An item that has ended is not run again after a crash.',
  properties: {
    items: {
      title: 'a list, or a selector of one',
      description: 'the list',
      anyOf: [
        { type: 'array', maxItems: MAX_ITEMS },
        { type: 'string', pattern: '^\\$(?!steps\\.[^.]*$)[a-z]' },
      ],
    },
    workflow_definition: innerDefinition,
    workflow_id: workflowId,
    workflow_version_id: workflowVersionId,
    parameter_bindings: {
      type: 'object',
      description:
        'the inputs of the other workflow by name, each a selector or a literal; `$item` selects the item or a part of it, `$index` its number from 0',
    },
    max_items: {
      type: 'integer',
      minimum: 1,
      maximum: MAX_ITEMS,
      default: DEFAULT_MAX_ITEMS,
      description: 'the most items; a longer list fails the step before any item runs',
    },
    max_concurrent: {
      type: 'integer',
      minimum: 1,
      maximum: MAX_CONCURRENT_ITEMS,
      default: 1,
      description: 'how many items run at once; with 1 each begins when the one before it has ended',
    },
    on_item_failure: {
      enum: ['stop', 'continue'],
      default: 'stop',
      description: '"stop" lets the step fail with the first item that fails; "continue" collects the error in place of its outputs',
    },
  },
  required: ['items', 'parameter_bindings'],
  findFaults: (manifest) => [...definitionFaults(manifest), ...itemFaults(manifest)],
  outputs: () => ['results', 'count', 'failed'],
  plan: (manifest) => withOperations(() => planItems(manifest)),
  interpret(_manifest, result) {
    if (result.kind !== 'items') throw new Error(`items cannot have the result "${result.kind}"`);
    const { results, failure } = result;
    return failure === null ? completed(results) : { kind: 'failed', error: failure, retryable: false };
  },
};

function planItems(manifest: ForEachManifest): StepPlan {
  const { max_concurrent: maxConcurrent = 1, on_item_failure: onFailure = 'stop' } = manifest;
  const maxItems = readMaxItems({ ...manifest });
  const items = readList('items', manifest.items);
  if (items.length > maxItems) return failedStep('too_many_items', `the list has ${items.length} items, and max_items allows ${maxItems}`);
  if (items.length === 0) return completed([]);
  return { kind: 'for_each', items, maxConcurrent: Number(maxConcurrent), stopsAtFailure: onFailure === 'stop' };
}

function completed(results: readonly ItemResult[]): StepOutcome {
  const failed = results.filter((result) => 'error' in result).length;
  const outputs = { results: results.map((result) => ('error' in result ? result : result.output)), count: results.length, failed };
  return { kind: 'completed', outputs };
}

function definitionFaults({ workflow_definition: definition = null, workflow_id: id = null }: ForEachManifest): Fault[] {
  if ((definition === null) !== (id === null)) return [];
  const message = 'needs either "workflow_definition", the workflow itself, or "workflow_id", the id of a workflow of the same app';
  return [{ path: definition === null ? '' : 'workflow_definition', message }];
}

function itemFaults(manifest: ForEachManifest): Fault[] {
  const { items, retry } = manifest;
  const faults: Fault[] = [];
  const maxItems = readMaxItems({ ...manifest });
  if (Array.isArray(items) && items.length > maxItems)
    faults.push({ path: 'items', message: `has ${items.length} items, and max_items allows ${maxItems}` });
  if (retry !== undefined)
    faults.push({ path: 'retry', message: 'a for_each step is not retried as a whole; set "retry" on the steps of its workflow' });
  return faults;
}
