// Changes definitions for the API and for files: validates, stores, and publishes the new state to triggers.

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
import type { CredentialContext } from './sinks/credential-faults.ts';
import { describeSink } from './sinks/describe-sink.ts';
import { createSinkChanges, type SinkChanges } from './sinks/sink-changes.ts';
import { createWorkflowChanges, type WorkflowChanges } from './workflow-changes.ts';

/** All methods reject with `invalid` and every fault, `not_found`, `conflict`, or `precondition_failed` for a stale edit. */
export interface DefinitionService extends AppChanges, Omit<WorkflowChanges, 'findDefinition'>, SinkChanges {
  describeStepTypes(): StepTypeDescription[];
  /** Resolves to the changes that `apply` would make. */
  diff(document: unknown): Promise<PlannedChange[]>;
  /** Makes the document the owner's only definitions, all or nothing. The owner's other definitions are deleted. */
  apply(document: unknown, owner?: DefinitionOwner): Promise<PlannedChange[]>;
  /** Returns all definitions as a document for `apply`, with hashes of tokens. */
  exportAll(): unknown;
}

export interface DefinitionServiceOptions {
  storage: Storage;
  catalog: Catalog;
  stepTypes: StepTypes;
  credentials: CredentialContext;
  clock: Clock;
}

export function createDefinitionService(options: DefinitionServiceOptions): DefinitionService {
  const { storage, catalog, stepTypes, credentials, clock } = options;
  const writer = createDefinitionWriter(storage, catalog, clock);
  const { findDefinition, ...workflows } = createWorkflowChanges({ writer, storage, catalog, stepTypes });

  async function planApply(document: unknown, owner: DefinitionOwner): Promise<PlannedChange[]> {
    const current = catalog.current();
    const { definitions, faults } = await parseDefinitions(document, stepTypes.inspect, async (appId, reference, isDefined) => {
      // The owner's workflows that the document no longer defines are about to be deleted.
      const isLeaving =
        !isDefined && current.workflows.some((item) => item.appId === appId && item.id === reference.id && item.managedBy === owner);
      return isLeaving ? null : await findDefinition(appId, reference);
    });
    refuseFaults('the definition document', faults);
    refuseFaults('the definition document', applyFaults(definitions, { current, owner, credentials }));
    return diffDefinitions(definitions, current, { owner, sealer: credentials.sealer, now: clock() });
  }

  return {
    ...createAppChanges(writer, catalog),
    ...workflows,
    ...createSinkChanges({ writer, catalog, credentials, clock }),
    describeStepTypes: stepTypes.describe,
    diff: (document) => planApply(document, 'config'),
    apply: (document, owner = 'config') =>
      writer.serially(async () => {
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
