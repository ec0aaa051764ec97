// Definitions: apps, workflow versions and sinks. An edit is applied whole or not at all.

import { workflowIdsOf } from '../../../src/core/sink/fan-out-setting.ts';
import type { Sink } from '../../../src/core/sink/sink.ts';
import { patternKey } from '../../../src/core/sink/sink-path.ts';
import { AppError } from '../../../src/errors.ts';
import type {
  AppRecord,
  DefinitionChange,
  DefinitionEdit,
  Definitions,
  EditResult,
  VersionSummary,
  WorkflowRecord,
} from '../../../src/storage/definition-store.ts';
import type { ScheduleState } from '../../../src/storage/schedule-store.ts';
import { settleFlow } from './runs/flow-control.ts';
import { keepSchedules } from './schedules.ts';
import type { State } from './state.ts';

interface Deletable {
  isDeleted: boolean;
}

export interface DefinitionState {
  version: number;
  lastEdit: string | null;
  apps: AppRecord[];
  /** All versions, oldest first. */
  workflows: (WorkflowRecord & Deletable)[];
  sinks: (Sink & Deletable)[];
  schedules: ScheduleState[];
}

type Change<Kind extends DefinitionChange['kind']> = Extract<DefinitionChange, { kind: Kind }>;
type Draft = Pick<DefinitionState, 'apps' | 'workflows' | 'sinks' | 'schedules'>;

export function noDefinitions(): DefinitionState {
  return { version: 0, lastEdit: null, apps: [], workflows: [], sinks: [], schedules: [] };
}

export function sinkExists({ definitions }: State, sinkId: string): boolean {
  return definitions.sinks.some(({ id }) => id === sinkId);
}

export function loadDefinitions({ definitions: { version, apps, workflows, sinks } }: State): Definitions {
  const latest = new Map<string, WorkflowRecord>();
  for (const workflow of workflows) if (!workflow.isDeleted) latest.set(`${workflow.appId}/${workflow.id}`, toWorkflow(workflow));
  return {
    version,
    apps: apps.map((app) => ({ ...app })).sort((a, b) => compare(a.id, b.id)),
    workflows: [...latest.values()].sort((a, b) => compare(a.appId, b.appId) || compare(a.id, b.id)),
    sinks: sinks
      .filter(({ isDeleted }) => !isDeleted)
      .map(({ isDeleted: _, ...sink }) => sink)
      .sort((a, b) => compare(a.appId, b.appId) || compare(a.path, b.path) || compare(a.method, b.method)),
  };
}

export function findWorkflow({ definitions }: State, appId: string, workflowId: string, version: number | null): WorkflowRecord | null {
  const found = definitions.workflows.findLast(
    (workflow) =>
      workflow.appId === appId && workflow.id === workflowId && (version === null ? !workflow.isDeleted : workflow.version === version),
  );
  return found === undefined ? null : toWorkflow(found);
}

export function listVersions(
  { definitions }: State,
  appId: string,
  workflowId: string,
  { before, limit }: { before: number; limit: number },
): VersionSummary[] {
  const versions = definitions.workflows.filter((workflow) => workflow.appId === appId && workflow.id === workflowId).reverse();
  return versions
    .map(({ version, createdAt, isDeleted }, index) => ({ version, createdAt, isCurrent: index === 0 && !isDeleted }))
    .filter(({ version }) => version < before)
    .slice(0, limit);
}

export function changeDefinitions(state: State, { id, version, changes, at }: DefinitionEdit): EditResult {
  const { definitions } = state;
  if (definitions.lastEdit === id) return { kind: 'changed', definitions: loadDefinitions(state) };
  if (definitions.version !== version) return { kind: 'outdated' };
  const { apps, workflows, sinks, schedules } = definitions;
  const draft: Draft = { apps: [...apps], workflows: [...workflows], sinks: [...sinks], schedules };
  for (const change of changes) apply(state, draft, change, at);
  Object.assign(definitions, draft, { version: version + 1, lastEdit: id });
  for (const change of changes) {
    if (change.kind === 'put_sink') settleFlow(state, change.sink.id);
    if (change.kind === 'delete_sink') removeSamples(state, change.sinkId);
  }
  return { kind: 'changed', definitions: loadDefinitions(state) };
}

function removeSamples({ samples }: State, ofSink: string): void {
  for (const [runId, { sinkId }] of samples) if (sinkId === ofSink) samples.delete(runId);
}

function apply(state: State, draft: Draft, change: DefinitionChange, at: number): void {
  switch (change.kind) {
    case 'put_app':
      return putApp(draft, change, at);
    case 'delete_app':
      return deleteApp(state, draft, change.appId);
    case 'put_workflow':
      return putWorkflow(draft, change, at);
    case 'delete_workflow':
      return deleteWorkflow(draft, change);
    case 'put_sink':
      return putSink(draft, change, at);
    case 'delete_sink':
      return deleteSink(draft, change.sinkId);
  }
}

function putApp(draft: Draft, { app, managedBy }: Change<'put_app'>, at: number): void {
  const earlier = draft.apps.find(({ id }) => id === app.id);
  const stored = { ...app, managedBy, createdAt: earlier?.createdAt ?? at };
  draft.apps = [...draft.apps.filter(({ id }) => id !== app.id), stored];
}

function createApp(draft: Draft, id: string, managedBy: AppRecord['managedBy'], at: number): void {
  if (!draft.apps.some((app) => app.id === id)) draft.apps.push({ id, name: null, managedBy, createdAt: at });
}

function refuseUnknownApp({ apps }: Draft, appId: string): void {
  if (!apps.some(({ id }) => id === appId)) throw new AppError('not_found', `there is no app "${appId}"`);
}

/** Deletes an app without sinks, workflows and runs. */
function deleteApp({ runs }: State, draft: Draft, appId: string): void {
  refuseUnknownApp(draft, appId);
  const sinks = draft.sinks.filter((sink) => sink.appId === appId && !sink.isDeleted).length;
  const workflows = new Set(draft.workflows.filter((one) => one.appId === appId && !one.isDeleted).map(({ id }) => id)).size;
  if (sinks + workflows > 0)
    throw new AppError('conflict', `app "${appId}" still has ${sinks + workflows} sinks or workflows; delete them first`);
  if ([...runs.values()].some((run) => run.appId === appId))
    throw new AppError('conflict', `app "${appId}" still has runs; delete it once retention has removed them`);
  draft.apps = draft.apps.filter(({ id }) => id !== appId);
  draft.sinks = draft.sinks.filter((sink) => sink.appId !== appId);
  draft.workflows = draft.workflows.filter((workflow) => workflow.appId !== appId);
}

/** Stores the document as the next version, unless the latest version has the same text. */
function putWorkflow(draft: Draft, { appId, workflowId: id, document, managedBy }: Change<'put_workflow'>, at: number): void {
  createApp(draft, appId, managedBy, at);
  const versions = draft.workflows.filter((workflow) => workflow.appId === appId && workflow.id === id);
  const latest = versions.findLast(({ isDeleted }) => !isDeleted);
  if (latest?.document === document) {
    draft.workflows = draft.workflows.map((workflow) => (versions.includes(workflow) ? { ...workflow, managedBy } : workflow));
    return;
  }
  const version = (versions.at(-1)?.version ?? 0) + 1;
  draft.workflows.push({ id, appId, version, document, managedBy, createdAt: at, isDeleted: false });
}

/** Marks all versions as deleted: a run still reads its version. */
function deleteWorkflow(draft: Draft, { appId, workflowId }: Change<'delete_workflow'>): void {
  refuseUnknownApp(draft, appId);
  const users = draft.sinks.filter((sink) => sink.appId === appId && workflowIdsOf(sink).includes(workflowId) && !sink.isDeleted);
  if (users.length > 0) {
    const names = users.map(({ method, path }) => `${method} ${path}`).join(', ');
    throw new AppError('conflict', `workflow "${workflowId}" is used by ${names}; change or delete those sinks first`);
  }
  const isOne = (workflow: WorkflowRecord & Deletable): boolean => workflow.appId === appId && workflow.id === workflowId;
  if (!draft.workflows.some((workflow) => isOne(workflow) && !workflow.isDeleted))
    throw new AppError('not_found', `app "${appId}" has no workflow "${workflowId}"`);
  draft.workflows = draft.workflows.map((workflow) => (isOne(workflow) ? { ...workflow, isDeleted: true } : workflow));
}

function putSink(draft: Draft, { sink }: Change<'put_sink'>, at: number): void {
  const { id, appId, method, path } = sink;
  createApp(draft, appId, sink.managedBy, at);
  const known = draft.workflows.filter((one) => one.appId === appId && !one.isDeleted).map((one) => one.id);
  const unknown = workflowIdsOf(sink).find((workflowId) => !known.includes(workflowId));
  if (unknown !== undefined) throw new AppError('invalid', `app "${appId}" has no workflow "${unknown}", which ${method} ${path} names`);
  const clash = draft.sinks.find(
    (other) =>
      other.appId === appId &&
      other.method === method &&
      !other.isDeleted &&
      other.id !== id &&
      patternKey(other.path) === patternKey(path),
  );
  if (clash !== undefined) {
    throw new AppError('conflict', `${method} ${path} clashes with sink ${clash.id} (${method} ${clash.path}) of app "${appId}"`, {
      details: { sink_id: clash.id },
    });
  }
  const earlier = draft.sinks.find((other) => other.id === id);
  const kept = earlier === undefined ? {} : { appId: earlier.appId, createdAt: earlier.createdAt };
  draft.sinks = [...draft.sinks.filter((other) => other !== earlier), { ...sink, ...kept, isDeleted: earlier?.isDeleted ?? false }];
  draft.schedules = keepSchedules(draft.schedules, sink, at);
}

/** Marks the sink as deleted: its runs still name it. */
function deleteSink(draft: Draft, sinkId: string): void {
  const sink = draft.sinks.find(({ id, isDeleted }) => id === sinkId && !isDeleted);
  if (sink === undefined) throw new AppError('not_found', `there is no sink "${sinkId}"`);
  draft.sinks = draft.sinks.map((other) => (other === sink ? { ...sink, isDeleted: true } : other));
  draft.schedules = draft.schedules.filter((schedule) => schedule.sinkId !== sinkId);
}

function toWorkflow({ isDeleted: _, ...workflow }: WorkflowRecord & Deletable): WorkflowRecord {
  return workflow;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
