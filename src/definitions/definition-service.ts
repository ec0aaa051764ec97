// Changes definitions, for the API and for the files alike: checks, stores, and lets triggers see the new state.

import type { Clock } from '../clock.ts';
import { appIdFault } from '../core/app.ts';
import { type Fault, refuseFaults } from '../core/fault.ts';
import type { WorkflowReference } from '../core/inner-workflow-step.ts';
import { parseJson, stringifyJson, withPlainNumbers } from '../core/json.ts';
import { type ManagedBy, parseSink, type Sink } from '../core/sink.ts';
import { workflowIdFault } from '../core/workflow.ts';
import { stepTypesIn, withoutPins } from '../core/workflow-document.ts';
import { workflowFaults } from '../core/workflow-faults.ts';
import { AppError } from '../errors.ts';
import { newToken } from '../ids.ts';
import type { StepTypeDescription, StepTypes } from '../steps/index.ts';
import type { AppRecord, DefinitionChange, Storage, WorkflowRecord } from '../storage/storage.ts';
import { hashToken } from '../token.ts';
import type { Catalog } from './catalog.ts';
import { diffDefinitions, type PlannedChange } from './definition-diff.ts';
import { parseDefinitions } from './definition-document.ts';
import { describeSink } from './describe-sink.ts';
import { pinWorkflows, usesWorkflow } from './pin-workflows.ts';
import { sealSink } from './seal-sink.ts';

/** All methods reject with `invalid` naming every fault, `not_found`, or `conflict`. */
export interface DefinitionService {
  saveApp(id: string, name: string | null): Promise<AppRecord>;
  deleteApp(id: string): Promise<void>;
  /** A definition that differs from the current one becomes a new version. */
  saveWorkflow(appId: string, workflowId: string, document: unknown): Promise<WorkflowRecord>;
  deleteWorkflow(appId: string, workflowId: string): Promise<void>;
  /** Every fault that saving the definition would find. Without an app, workflows that it uses are taken on trust. */
  checkWorkflow(appId: string | null, document: unknown): Promise<Fault[]>;
  describeStepTypes(): Promise<StepTypeDescription[]>;
  createSink(appId: string, document: unknown): Promise<Sink>;
  replaceSink(appId: string, sinkId: string, document: unknown): Promise<Sink>;
  deleteSink(appId: string, sinkId: string): Promise<void>;
  /** Puts a new token in place of all that the sink accepted; the token is shown here and never again. */
  rotateToken(appId: string, sinkId: string): Promise<{ sink: Sink; token: string }>;
  findSink(appId: string, sinkId: string): Sink;
  findWorkflow(appId: string, workflowId: string): WorkflowRecord;
  /** What applying the document would change. */
  diff(document: unknown): Promise<PlannedChange[]>;
  /** Makes the server hold what the document says: all of it, or nothing. */
  apply(document: unknown): Promise<PlannedChange[]>;
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
  let lastChange: Promise<unknown> = Promise.resolve();

  /** One change after another: each is planned on what the one before has left. */
  function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = lastChange.then(work);
    lastChange = done.catch(() => undefined);
    return done;
  }

  async function change(...changes: DefinitionChange[]): Promise<void> {
    await storage.changeDefinitions(changes, clock());
    await catalog.reload();
  }

  function findSink(appId: string, sinkId: string): Sink {
    const sink = catalog.findSink(sinkId);
    if (sink?.appId !== appId) throw new AppError('not_found', `app "${appId}" has no sink "${sinkId}"`);
    return sink;
  }

  function findCurrent(appId: string, workflowId: string): WorkflowRecord | undefined {
    return catalog.current().workflows.find((record) => record.appId === appId && record.id === workflowId);
  }

  function findWorkflow(appId: string, workflowId: string): WorkflowRecord {
    const workflow = findCurrent(appId, workflowId);
    if (workflow === undefined) throw new AppError('not_found', `app "${appId}" has no workflow "${workflowId}"`);
    return workflow;
  }

  function findApp(id: string): AppRecord | undefined {
    return catalog.current().apps.find((app) => app.id === id);
  }

  function findOwnSink(appId: string, sinkId: string): Sink {
    const sink = findSink(appId, sinkId);
    refuseIfManaged(`sink "${sinkId}"`, sink.managedBy);
    return sink;
  }

  /** With copies of what it uses; null when it is not stored. */
  async function findDefinition(appId: string, { id, version }: WorkflowReference): Promise<unknown> {
    const record = version === null ? findCurrent(appId, id) : await storage.findWorkflow(appId, id, Number(version) || 0);
    return record === undefined || record === null ? null : parseJson(record.document);
  }

  async function planApply(document: unknown): Promise<PlannedChange[]> {
    await stepTypes.load(stepTypesIn(document));
    const { definitions, faults } = await parseDefinitions(document, stepTypes.inspect, async (appId, reference, isDefined) => {
      // Files own what they define: what they no longer define is about to go.
      const isLeaving = !isDefined && findCurrent(appId, reference.id)?.managedBy === 'config';
      return isLeaving ? null : await findDefinition(appId, reference);
    });
    refuseFaults('the definition document', faults);
    return diffDefinitions(definitions, catalog.current(), clock());
  }

  async function checkWorkflow(appId: string | null, id: string | null, written: unknown): Promise<{ document: unknown; faults: Fault[] }> {
    await stepTypes.load(stepTypesIn(written));
    const { document, faults } =
      appId === null
        ? { document: withoutPins(written), faults: [] }
        : await pinWorkflows({ appId, id }, written, (reference) => findDefinition(appId, reference));
    return { document, faults: [...workflowFaults(withPlainNumbers(document), stepTypes.inspect), ...faults] };
  }

  async function saveWorkflow(appId: string, workflowId: string, written: unknown): Promise<WorkflowRecord> {
    refuseFaults('the workflow', [...fault('app_id', appIdFault(appId)), ...fault('workflow_id', workflowIdFault(workflowId))]);
    const { document, faults } = await checkWorkflow(appId, workflowId, written);
    refuseFaults('the workflow', faults);
    const existing = findCurrent(appId, workflowId);
    refuseIfManaged(`workflow "${workflowId}"`, existing?.managedBy);
    await change({ kind: 'put_workflow', appId, workflowId, document: stringifyJson(document), managedBy: 'api' });
    return findWorkflow(appId, workflowId);
  }

  async function saveSink(appId: string, document: unknown, existing: Sink | undefined): Promise<Sink> {
    const { sink: definition, faults } = parseSink(withPlainNumbers(document), appId);
    if (definition === null) {
      refuseFaults('the sink', faults);
      throw new Error('a sink without faults was not parsed');
    }
    const sink = sealSink(definition, { managedBy: 'api', existing, now: clock() });
    await change({ kind: 'put_sink', sink });
    return findSink(appId, sink.id);
  }

  return {
    findSink,
    findWorkflow,
    saveApp: (id, name) =>
      inTurn(async () => {
        refuseFaults('the app', fault('app_id', appIdFault(id)));
        refuseIfManaged(`app "${id}"`, findApp(id)?.managedBy);
        await change({ kind: 'put_app', app: { id, name }, managedBy: 'api' });
        return findApp(id) as AppRecord;
      }),
    deleteApp: (id) =>
      inTurn(async () => {
        refuseIfManaged(`app "${id}"`, findApp(id)?.managedBy);
        await change({ kind: 'delete_app', appId: id });
      }),
    saveWorkflow: (appId, workflowId, document) => inTurn(() => saveWorkflow(appId, workflowId, document)),
    deleteWorkflow: (appId, workflowId) =>
      inTurn(async () => {
        refuseIfManaged(`workflow "${workflowId}"`, findWorkflow(appId, workflowId).managedBy);
        const user = catalog
          .current()
          .workflows.find((record) => record.appId === appId && usesWorkflow(parseJson(record.document), workflowId));
        if (user !== undefined)
          throw new AppError(
            'conflict',
            `workflow "${workflowId}" of app "${appId}" is used by workflow "${user.id}"; change that one first`,
          );
        await change({ kind: 'delete_workflow', appId, workflowId });
      }),
    createSink: (appId, document) => inTurn(() => saveSink(appId, document, undefined)),
    replaceSink: (appId, sinkId, document) => inTurn(async () => saveSink(appId, document, findOwnSink(appId, sinkId))),
    deleteSink: (appId, sinkId) =>
      inTurn(async () => {
        findOwnSink(appId, sinkId);
        await change({ kind: 'delete_sink', sinkId });
      }),
    rotateToken: (appId, sinkId) =>
      inTurn(async () => {
        const token = newToken();
        const sink: Sink = { ...findOwnSink(appId, sinkId), auth: { type: 'bearer', tokenHashes: [hashToken(token)] }, updatedAt: clock() };
        await change({ kind: 'put_sink', sink });
        return { sink, token };
      }),
    checkWorkflow: async (appId, document) => (await checkWorkflow(appId, null, document)).faults,
    async describeStepTypes() {
      await stepTypes.loadAll();
      return stepTypes.describe();
    },
    diff: planApply,
    apply: (document) =>
      inTurn(async () => {
        const planned = await planApply(document);
        if (planned.length > 0) await change(...planned.map((item) => item.change));
        return planned;
      }),
    exportAll() {
      const { apps, workflows, sinks } = catalog.current();
      return {
        apps: apps.map(({ id, name }) => ({ id, ...(name === null ? {} : { name }) })),
        workflows: workflows.map(({ appId, id, document }) => ({ app_id: appId, id, definition: withoutPins(parseJson(document)) })),
        sinks: sinks.map(describeSink),
      };
    },
  };
}

function fault(path: string, message: string | null): { path: string; message: string }[] {
  return message === null ? [] : [{ path, message }];
}

function refuseIfManaged(what: string, managedBy: ManagedBy | undefined): void {
  if (managedBy === 'config') throw new AppError('conflict', `${what} is defined in the configuration files; change it there`);
}
