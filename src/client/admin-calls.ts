// Calls of the admin API, one method per route.

import { at, type CallOptions, type ServerCalls } from './server-calls.ts';
import type {
  AppInfo,
  DefinitionChange,
  Rejection,
  RunDetails,
  RunFilter,
  RunSummary,
  SinkFields,
  SinkInfo,
  StepTypeInfo,
  WorkflowInfo,
  WorkflowWithDefinition,
} from './wire-types.ts';

/** With the ETag from `getWithTag`, an edit cannot overwrite a concurrent change. */
type EditOptions = Pick<CallOptions, 'ifMatch'>;

export const appCalls = ({ call, callWithTag }: ServerCalls) => ({
  list: async () => (await call<{ apps: AppInfo[] }>('GET', '/api/v1/apps')).apps,
  get: (appId: string) => call<AppInfo>('GET', at`/api/v1/apps/${appId}`),
  getWithTag: (appId: string) => callWithTag<AppInfo>('GET', at`/api/v1/apps/${appId}`),
  /** Without a name, an existing app keeps its name. */
  save: (appId: string, fields: { name?: string | null } = {}, options: EditOptions = {}) =>
    call<AppInfo>('PUT', at`/api/v1/apps/${appId}`, { ...options, body: fields }),
  delete: (appId: string, options: EditOptions = {}) => call<null>('DELETE', at`/api/v1/apps/${appId}`, options),
});

export const workflowCalls = ({ call, callWithTag }: ServerCalls) => ({
  list: async (appId: string) => (await call<{ workflows: WorkflowInfo[] }>('GET', at`/api/v1/apps/${appId}/workflows`)).workflows,
  /** Gets the current version by default. */
  get: (appId: string, workflowId: string, version?: number) =>
    call<WorkflowWithDefinition>('GET', at`/api/v1/apps/${appId}/workflows/${workflowId}`, { query: { version } }),
  getWithTag: (appId: string, workflowId: string) =>
    callWithTag<WorkflowWithDefinition>('GET', at`/api/v1/apps/${appId}/workflows/${workflowId}`),
  save: (appId: string, workflowId: string, definition: unknown, options: EditOptions = {}) =>
    call<WorkflowInfo>('PUT', at`/api/v1/apps/${appId}/workflows/${workflowId}`, { ...options, body: definition }),
  /** A JSON merge patch of the definition. */
  patch: (appId: string, workflowId: string, changes: object, options: EditOptions = {}) =>
    call<WorkflowInfo>('PATCH', at`/api/v1/apps/${appId}/workflows/${workflowId}`, { ...options, body: changes }),
  delete: (appId: string, workflowId: string, options: EditOptions = {}) =>
    call<null>('DELETE', at`/api/v1/apps/${appId}/workflows/${workflowId}`, options),
  /** Rejects with every fault that saving would find. Looks up workflows that the definition uses in the app. */
  validate: (definition: unknown, appId?: string) =>
    call<{ status: 'ok' }>('POST', '/api/v1/workflows/validate', { body: definition, query: { app_id: appId } }),
  stepTypes: async () => (await call<{ step_types: StepTypeInfo[] }>('GET', '/api/v1/step-types')).step_types,
});

export const sinkCalls = ({ call, callWithTag }: ServerCalls) => ({
  /** Lists the sinks of all apps by default. */
  list: async (appId?: string) => (await call<{ sinks: SinkInfo[] }>('GET', '/api/v1/sinks', { query: { app_id: appId } })).sinks,
  get: (appId: string, sinkId: string) => call<SinkInfo>('GET', at`/api/v1/apps/${appId}/sinks/${sinkId}`),
  create: (appId: string, fields: SinkFields) => call<SinkInfo>('POST', at`/api/v1/apps/${appId}/sinks`, { body: fields }),
  getWithTag: (appId: string, sinkId: string) => callWithTag<SinkInfo>('GET', at`/api/v1/apps/${appId}/sinks/${sinkId}`),
  /** Absent fields get their defaults, except credentials, which stay. */
  replace: (appId: string, sinkId: string, fields: SinkFields, options: EditOptions = {}) =>
    call<SinkInfo>('PUT', at`/api/v1/apps/${appId}/sinks/${sinkId}`, { ...options, body: fields }),
  /** A JSON merge patch: changes only its members, and `null` removes a member. */
  patch: (appId: string, sinkId: string, changes: Partial<SinkFields>, options: EditOptions = {}) =>
    call<SinkInfo>('PATCH', at`/api/v1/apps/${appId}/sinks/${sinkId}`, { ...options, body: changes }),
  delete: (appId: string, sinkId: string, options: EditOptions = {}) =>
    call<null>('DELETE', at`/api/v1/apps/${appId}/sinks/${sinkId}`, options),
  /** Only this answer contains the new token. */
  rotateToken: (appId: string, sinkId: string) =>
    call<SinkInfo & { auth_token: string }>('POST', at`/api/v1/apps/${appId}/sinks/${sinkId}/rotate-token`),
});

export const definitionCalls = ({ call }: ServerCalls) => ({
  export: () => call<Record<'apps' | 'workflows' | 'sinks', unknown[]>>('GET', '/api/v1/definitions'),
  diff: async (document: unknown) =>
    (await call<{ changes: DefinitionChange[] }>('POST', '/api/v1/definitions/diff', { body: document })).changes,
  apply: async (document: unknown) =>
    (await call<{ changes: DefinitionChange[] }>('POST', '/api/v1/definitions/apply', { body: document })).changes,
});

export const runCalls = ({ call }: ServerCalls) => ({
  list: (filter: RunFilter = {}) => call<{ runs: RunSummary[]; next_cursor: string | null }>('GET', '/api/v1/runs', { query: filter }),
  get: (runId: string) => call<RunDetails>('GET', at`/api/v1/runs/${runId}`),
  cancel: (runId: string) => call<{ run_id: string; status: 'cancelled' }>('POST', at`/api/v1/runs/${runId}/cancel`),
  /** Runs the same request again, as a new run. */
  replay: (runId: string) => call<{ run_id: string; status: string; replay_of: string }>('POST', at`/api/v1/runs/${runId}/replay`),
});

export const rejectionCalls = ({ call }: ServerCalls) => ({
  list: (filter: { app_id?: string; limit?: number; cursor?: number } = {}) =>
    call<{ rejections: Rejection[]; next_cursor: number | null }>('GET', '/api/v1/rejections', { query: filter }),
});
