// Saves and deletes single workflows for the API, and checks them without saving.

import { appIdFault } from '../core/app.ts';
import { type Fault, refuseFaults } from '../core/fault.ts';
import { parseJson, stringifyJson, withPlainNumbers } from '../core/json/json.ts';
import { mergePatch } from '../core/json/merge-patch.ts';
import { withoutPins } from '../core/workflow/document.ts';
import { workflowFaults } from '../core/workflow/faults.ts';
import type { InnerWorkflowReference } from '../core/workflow/inner-workflow-step.ts';
import { workflowIdFault } from '../core/workflow/plan.ts';
import { AppError } from '../errors.ts';
import type { StepTypes } from '../steps/registry.ts';
import type { WorkflowRecord } from '../storage/definition-store.ts';
import type { Storage } from '../storage/storage.ts';
import type { Catalog } from './catalog.ts';
import type { DefinitionWriter } from './definition-writer.ts';
import { type Edit, type Preconditions, refuseIfManaged, refuseStale, withoutReadOnly } from './edit.ts';
import { pinWorkflows, usesWorkflow } from './pin-workflows.ts';

export interface WorkflowChanges {
  findWorkflow(appId: string, workflowId: string): WorkflowRecord;
  /** Creates or replaces the workflow from a definition, or an answer that contains one. A change creates a new version. */
  saveWorkflow(appId: string, workflowId: string, document: unknown, edit: Edit<WorkflowRecord>): Promise<WorkflowRecord>;
  /** Merges the patch into the definition (RFC 7396). */
  patchWorkflow(appId: string, workflowId: string, patch: unknown, edit: Edit<WorkflowRecord>): Promise<WorkflowRecord>;
  deleteWorkflow(appId: string, workflowId: string, ifMatch?: string): Promise<void>;
  /**
   * Saves the definition of an earlier version again, with the copies of other workflows that it had; also that of a deleted
   * workflow. Changes nothing if it is the current definition.
   */
  rollbackWorkflow(appId: string, workflowId: string, version: number, ifMatch?: string): Promise<RolledBack>;
  /** Resolves to every fault that saving would find. Without an app, workflows that it uses are not checked. */
  checkWorkflow(appId: string | null, document: unknown, id?: string | null): Promise<Fault[]>;
  /** Resolves to the definition with its copies; null when it is not stored. */
  findDefinition(appId: string, reference: InnerWorkflowReference): Promise<unknown>;
}

export interface RolledBack {
  workflow: WorkflowRecord;
  isChanged: boolean;
}

export interface WorkflowChangeOptions {
  writer: DefinitionWriter;
  storage: Pick<Storage, 'findWorkflow'>;
  catalog: Catalog;
  stepTypes: StepTypes;
}

const READ_ONLY = ['id', 'app_id', 'version', 'managed_by', 'created_at'];

export function createWorkflowChanges(options: WorkflowChangeOptions): WorkflowChanges {
  const { writer, storage, catalog } = options;
  const { serially } = writer;
  return {
    findWorkflow: (appId, workflowId) => findWorkflow(catalog, appId, workflowId),
    findDefinition: (appId, reference) => findDefinition(storage, catalog, appId, reference),
    saveWorkflow: (appId, workflowId, document, { show, ...preconditions }) =>
      serially(async () => {
        refuseFaults('the workflow', [...fault('app_id', appIdFault(appId)), ...fault('workflow_id', workflowIdFault(workflowId))]);
        const existing = findCurrent(catalog, appId, workflowId);
        refuseChange(workflowId, preconditions, existing);
        return await save(options, appId, workflowId, readDefinition(document, existing, show));
      }),
    patchWorkflow: (appId, workflowId, patch, { show, ...preconditions }) =>
      serially(async () => {
        const existing = findWorkflow(catalog, appId, workflowId);
        refuseChange(workflowId, preconditions, existing);
        const changes = readDefinition(patch, existing, show);
        return await save(options, appId, workflowId, mergePatch(withoutPins(parseJson(existing.document)), changes));
      }),
    deleteWorkflow: (appId, workflowId, ifMatch) =>
      serially(async () => {
        refuseChange(workflowId, { ifMatch }, findWorkflow(catalog, appId, workflowId));
        refuseIfUsed(catalog, appId, workflowId);
        await writer.change({ kind: 'delete_workflow', appId, workflowId });
      }),
    rollbackWorkflow: (appId, workflowId, version, ifMatch) =>
      serially(async () => {
        const existing = findCurrent(catalog, appId, workflowId);
        refuseChange(workflowId, { ifMatch }, existing);
        return await rollback(options, await findVersion(storage, { appId, id: workflowId, version }), existing);
      }),
    checkWorkflow: async (appId, document, id = null) => (await check(options, appId, id, document)).faults,
  };
}

function findCurrent(catalog: Catalog, appId: string, workflowId: string): WorkflowRecord | undefined {
  return catalog.current().workflows.find((record) => record.appId === appId && record.id === workflowId);
}

function findWorkflow(catalog: Catalog, appId: string, workflowId: string): WorkflowRecord {
  const workflow = findCurrent(catalog, appId, workflowId);
  if (workflow === undefined) throw new AppError('not_found', `app "${appId}" has no workflow "${workflowId}"`);
  return workflow;
}

async function findDefinition(
  storage: WorkflowChangeOptions['storage'],
  catalog: Catalog,
  appId: string,
  { id, version }: InnerWorkflowReference,
): Promise<unknown> {
  const record = version === null ? findCurrent(catalog, appId, id) : await storage.findWorkflow(appId, id, Number(version) || 0);
  return record === undefined || record === null ? null : parseJson(record.document);
}

/** Throws when the API may not change the workflow. */
function refuseChange(workflowId: string, preconditions: Preconditions, existing: WorkflowRecord | undefined): void {
  refuseIfManaged(`workflow "${workflowId}"`, existing?.managedBy);
  refuseStale(`workflow "${workflowId}"`, preconditions, existing);
}

function refuseIfUsed(catalog: Catalog, appId: string, workflowId: string): void {
  const user = catalog.current().workflows.find((record) => record.appId === appId && usesWorkflow(parseJson(record.document), workflowId));
  if (user !== undefined)
    throw new AppError('conflict', `workflow "${workflowId}" of app "${appId}" is used by workflow "${user.id}"; change that one first`);
}

/** Resolves to the definition with its copies, and every fault. */
async function check(
  { storage, catalog, stepTypes }: WorkflowChangeOptions,
  appId: string | null,
  id: string | null,
  written: unknown,
): Promise<{ document: unknown; faults: Fault[] }> {
  const { document, faults } =
    appId === null
      ? { document: withoutPins(written), faults: [] }
      : await pinWorkflows({ appId, id }, written, (reference) => findDefinition(storage, catalog, appId, reference));
  return { document, faults: [...workflowFaults(withPlainNumbers(document), stepTypes.inspect), ...faults] };
}

async function save(options: WorkflowChangeOptions, appId: string, workflowId: string, written: unknown): Promise<WorkflowRecord> {
  const { document, faults } = await check(options, appId, workflowId, written);
  refuseFaults('the workflow', faults);
  await options.writer.change({ kind: 'put_workflow', appId, workflowId, document: stringifyJson(document), managedBy: 'api' });
  return findWorkflow(options.catalog, appId, workflowId);
}

async function findVersion(
  storage: WorkflowChangeOptions['storage'],
  { appId, id, version }: Pick<WorkflowRecord, 'appId' | 'id' | 'version'>,
): Promise<WorkflowRecord> {
  const record = await storage.findWorkflow(appId, id, version);
  if (record !== null) return record;
  throw new AppError('not_found', `app "${appId}" has no version ${version} of a workflow "${id}"; GET …/versions lists those that it has`);
}

/** The copies stay as they are, but the workflows must still be there: an export of all definitions can then be applied. */
async function rollback(options: WorkflowChangeOptions, old: WorkflowRecord, existing: WorkflowRecord | undefined): Promise<RolledBack> {
  const { writer, storage, catalog, stepTypes } = options;
  const { appId, id, version, document } = old;
  if (existing?.document === document) return { workflow: existing, isChanged: false };
  const definition = parseJson(document);
  const { faults } = await pinWorkflows({ appId, id }, definition, (reference) => findDefinition(storage, catalog, appId, reference));
  const found = [...workflowFaults(withPlainNumbers(definition), stepTypes.inspect), ...faults];
  refuseFaults(`version ${version} of workflow "${id}"`, found, 'conflict');
  await writer.change({ kind: 'put_workflow', appId, workflowId: id, document, managedBy: 'api' });
  return { workflow: findWorkflow(catalog, appId, id), isChanged: true };
}

/** Accepts a definition, or an answer that contains one as `definition`. */
function readDefinition(document: unknown, existing: WorkflowRecord | undefined, show: Edit<WorkflowRecord>['show']): unknown {
  if (typeof document !== 'object' || document === null || !Object.hasOwn(document, 'definition')) return document;
  const shown = existing === undefined ? null : (show(existing) as Record<string, unknown>);
  const { fields, faults } = withoutReadOnly(document as Record<string, unknown>, shown, READ_ONLY);
  const { definition, ...others } = fields;
  const unknown = Object.keys(others).map((name) => ({ path: '', message: `unknown field "${name}" beside "definition"` }));
  refuseFaults('the workflow', [...unknown, ...faults]);
  return definition;
}

function fault(path: string, message: string | null): Fault[] {
  return message === null ? [] : [{ path, message }];
}
