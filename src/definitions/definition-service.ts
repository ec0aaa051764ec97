// Changes definitions, for the API and for the files alike: checks, stores, and lets triggers see the new state.

import type { Clock } from '../clock.ts';
import { refuseFaults } from '../core/fault.ts';
import { parseJson } from '../core/json/json.ts';
import type { DefinitionOwner } from '../core/sink/sink.ts';
import { withoutPins } from '../core/workflow/document.ts';
import type { StepTypeDescription, StepTypes } from '../steps/registry.ts';
import type { Storage } from '../storage/storage.ts';
import { type AppChanges, createAppChanges } from './app-changes.ts';
import { applyFaults } from './apply-faults.ts';
import type { Catalog } from './catalog.ts';
import { diffDefinitions, type PlannedChange } from './definition-diff.ts';
import { parseDefinitions } from './definition-document.ts';
import { createDefinitionWriter } from './definition-writer.ts';
import { describeSink } from './describe-sink.ts';
import { createSinkChanges, type SinkChanges } from './sink-changes.ts';
import { createWorkflowChanges, type WorkflowChanges } from './workflow-changes.ts';

/**
 * All methods reject with `invalid` naming every fault, `not_found`, `conflict`, or, where an edit names the state that
 * it is made for, `precondition_failed`.
 */
export interface DefinitionService extends AppChanges, Omit<WorkflowChanges, 'findDefinition'>, SinkChanges {
  describeStepTypes(): StepTypeDescription[];
  /** What applying the document would change. */
  diff(document: unknown): Promise<PlannedChange[]>;
  /** Makes the server hold what the document says: all of it, or nothing. What its owner defined besides is deleted. */
  apply(document: unknown, owner?: DefinitionOwner): Promise<PlannedChange[]>;
  /** Everything as a document that `apply` takes; tokens as hashes. */
  exportAll(): unknown;
}

export interface DefinitionServiceOptions {
  storage: Storage;
  catalog: Catalog;
  stepTypes: StepTypes;
  clock: Clock;
}

export function createDefinitionService({ storage, catalog, stepTypes, clock }: DefinitionServiceOptions): DefinitionService {
  const writer = createDefinitionWriter(storage, catalog, clock);
  const { findDefinition, ...workflows } = createWorkflowChanges({ writer, storage, catalog, stepTypes });

  async function planApply(document: unknown, owner: DefinitionOwner): Promise<PlannedChange[]> {
    const current = catalog.current();
    const { definitions, faults } = await parseDefinitions(document, stepTypes.inspect, async (appId, reference, isDefined) => {
      // What its owner no longer defines is about to go.
      const isLeaving =
        !isDefined && current.workflows.some((item) => item.appId === appId && item.id === reference.id && item.managedBy === owner);
      return isLeaving ? null : await findDefinition(appId, reference);
    });
    refuseFaults('the definition document', faults);
    refuseFaults('the definition document', applyFaults(definitions, current, owner));
    return diffDefinitions(definitions, current, { owner, now: clock() });
  }

  return {
    ...createAppChanges(writer, catalog),
    ...workflows,
    ...createSinkChanges(writer, catalog, clock),
    describeStepTypes: stepTypes.describe,
    diff: (document) => planApply(document, 'config'),
    apply: (document, owner = 'config') =>
      writer.inTurn(async () => {
        const planned = await planApply(document, owner);
        if (planned.length > 0) await writer.change(...planned.map((item) => item.change));
        return planned;
      }),
    exportAll() {
      const { apps, workflows: records, sinks } = catalog.current();
      return {
        apps: apps.map(({ id, name }) => ({ id, ...(name === null ? {} : { name }) })),
        workflows: records.map(({ appId, id, document }) => ({ app_id: appId, id, definition: withoutPins(parseJson(document)) })),
        sinks: sinks.map(describeSink),
      };
    },
  };
}
