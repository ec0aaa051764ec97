// Calls of the admin API, one method per route.

import { at, type CallOptions, type ServerCalls } from './server-calls.ts';
import type {
  AppInfo,
  CheckResult,
  StepGraph,
  StepTypeInfo,
  VersionDiff,
  VersionInfo,
  WorkflowInfo,
  WorkflowWithDefinition,
} from './wire/definition-wire.ts';
import type { RunReplayOptions, StartedReplay } from './wire/job-wire.ts';
import type {
  BlockedClient,
  DefinitionChange,
  Rejection,
  RejectionDetails,
  RejectionFilter,
  RunDetails,
  RunFilter,
  RunHead,
  RunPage,
  ScheduleInfo,
  SinkFields,
  SinkInfo,
} from './wire/wire-types.ts';

/** With the ETag from `getWithTag`, an edit cannot overwrite a concurrent change. */
type EditOptions = Pick<CallOptions, 'ifMatch'>;
type SaveOptions = Pick<CallOptions, 'ifMatch' | 'ifNoneMatch'>;

export const appCalls = (server: ServerCalls) => ({
  list: async () => (await server.call<{ apps: AppInfo[] }>('GET', '/api/v1/apps')).apps,
  get: (appId: string) => server.call<AppInfo>('GET', at`/api/v1/apps/${appId}`),
  getWithTag: (appId: string) => server.callWithTag<AppInfo>('GET', at`/api/v1/apps/${appId}`),
  /** Without a name, an existing app keeps its name. */
  save: (appId: string, fields: { name?: string | null } = {}, options: SaveOptions = {}) =>
    server.call<AppInfo>('PUT', at`/api/v1/apps/${appId}`, { ...options, body: fields }),
  delete: (appId: string, options: EditOptions = {}) => server.call<null>('DELETE', at`/api/v1/apps/${appId}`, options),
});

export const workflowCalls = (server: ServerCalls) => ({
  list: async (appId: string) => (await server.call<{ workflows: WorkflowInfo[] }>('GET', at`/api/v1/apps/${appId}/workflows`)).workflows,
  /** Gets the current version by default. */
  get: (appId: string, workflowId: string, version?: number) =>
    server.call<WorkflowWithDefinition>('GET', at`/api/v1/apps/${appId}/workflows/${workflowId}`, { query: { version } }),
  getWithTag: (appId: string, workflowId: string) =>
    server.callWithTag<WorkflowWithDefinition>('GET', at`/api/v1/apps/${appId}/workflows/${workflowId}`),
  save: (appId: string, workflowId: string, definition: unknown, options: SaveOptions = {}) =>
    server.call<WorkflowInfo>('PUT', at`/api/v1/apps/${appId}/workflows/${workflowId}`, { ...options, body: definition }),
  /** A JSON merge patch of the definition. */
  patch: (appId: string, workflowId: string, changes: object, options: EditOptions = {}) =>
    server.call<WorkflowInfo>('PATCH', at`/api/v1/apps/${appId}/workflows/${workflowId}`, { ...options, body: changes }),
  delete: (appId: string, workflowId: string, options: EditOptions = {}) =>
    server.call<null>('DELETE', at`/api/v1/apps/${appId}/workflows/${workflowId}`, options),
  /** Newest first. */
  versions: (appId: string, workflowId: string, page: { limit?: number; cursor?: number } = {}) =>
    server.call<{ versions: VersionInfo[]; next_cursor: number | null }>(
      'GET',
      at`/api/v1/apps/${appId}/workflows/${workflowId}/versions`,
      {
        query: page,
      },
    ),
  /** Compares with the current version by default. */
  diff: (appId: string, workflowId: string, versions: { from: number; to?: number }) =>
    server.call<VersionDiff>('GET', at`/api/v1/apps/${appId}/workflows/${workflowId}/diff`, { query: versions }),
  /** The steps and their edges; of the current version by default. */
  graph: (appId: string, workflowId: string, version?: number) =>
    server.call<StepGraph & { version: number }>('GET', at`/api/v1/apps/${appId}/workflows/${workflowId}/graph`, { query: { version } }),
  /** Lists every fault that saving would find, with its place. */
  check: (definition: unknown, query: { app_id?: string; workflow_id?: string } = {}) =>
    server.call<CheckResult>('POST', '/api/v1/workflows/check', { body: definition, query }),
  /** Saves the definition of the version again. A new version only if the definition is not the current one. */
  rollback: (appId: string, workflowId: string, version: number, options: EditOptions = {}) =>
    server.call<WorkflowInfo & { rolled_back_to: number; changed: boolean }>(
      'POST',
      at`/api/v1/apps/${appId}/workflows/${workflowId}/rollback`,
      { ...options, body: { version } },
    ),
  /** Rejects with every fault that saving would find. Looks up workflows that the definition uses in the app. */
  validate: (definition: unknown, appId?: string) =>
    server.call<{ status: 'ok' }>('POST', '/api/v1/workflows/validate', { body: definition, query: { app_id: appId } }),
  stepTypes: async () => (await server.call<{ step_types: StepTypeInfo[] }>('GET', '/api/v1/step-types')).step_types,
});

export const sinkCalls = (server: ServerCalls) => ({
  /** Lists the sinks of all apps by default. */
  list: async (appId?: string) => (await server.call<{ sinks: SinkInfo[] }>('GET', '/api/v1/sinks', { query: { app_id: appId } })).sinks,
  /** Those of all apps by default, in the order of their next times. */
  schedules: (filter: { app_id?: string | undefined; limit?: number } = {}) =>
    server.call<{ schedules: ScheduleInfo[]; total: number }>('GET', '/api/v1/schedules', { query: filter }),
  /** Lists every fault that creating the sink would find, or with `sink_id` replacing that one. */
  check: (appId: string, fields: unknown, query: { sink_id?: string } = {}) =>
    server.call<CheckResult>('POST', at`/api/v1/apps/${appId}/sinks/check`, { body: fields, query }),
  get: (appId: string, sinkId: string) => server.call<SinkInfo>('GET', at`/api/v1/apps/${appId}/sinks/${sinkId}`),
  create: (appId: string, fields: SinkFields) => server.call<SinkInfo>('POST', at`/api/v1/apps/${appId}/sinks`, { body: fields }),
  getWithTag: (appId: string, sinkId: string) => server.callWithTag<SinkInfo>('GET', at`/api/v1/apps/${appId}/sinks/${sinkId}`),
  /** Absent fields get their defaults, except credentials, which stay. */
  replace: (appId: string, sinkId: string, fields: SinkFields, options: EditOptions = {}) =>
    server.call<SinkInfo>('PUT', at`/api/v1/apps/${appId}/sinks/${sinkId}`, { ...options, body: fields }),
  /** A JSON merge patch: changes only its members, and `null` removes a member. */
  patch: (appId: string, sinkId: string, changes: Partial<SinkFields>, options: EditOptions = {}) =>
    server.call<SinkInfo>('PATCH', at`/api/v1/apps/${appId}/sinks/${sinkId}`, { ...options, body: changes }),
  delete: (appId: string, sinkId: string, options: EditOptions = {}) =>
    server.call<null>('DELETE', at`/api/v1/apps/${appId}/sinks/${sinkId}`, options),
  /** Only this answer contains the new token. */
  rotateToken: (appId: string, sinkId: string, options: { keep_hours?: number } = {}) =>
    server.call<SinkInfo & { auth_token: string }>('POST', at`/api/v1/apps/${appId}/sinks/${sinkId}/rotate-token`, { query: options }),
  /** The next refused request of the sink is shown with its rejection. */
  captureRefused: (appId: string, sinkId: string) =>
    server.call<{ sink_id: string; waits_until: string }>('POST', at`/api/v1/apps/${appId}/sinks/${sinkId}/capture-refused`),
  /** The secret that the sender of the sink has brought; the server shows it once. */
  capturedSecret: async (appId: string, sinkId: string) =>
    (await server.call<{ secret: string }>('POST', at`/api/v1/apps/${appId}/sinks/${sinkId}/captured-secret`)).secret,
});

export const definitionCalls = (server: ServerCalls) => ({
  export: () => server.call<Record<'apps' | 'workflows' | 'sinks', unknown[]>>('GET', '/api/v1/definitions'),
  diff: async (document: unknown) =>
    (await server.call<{ changes: DefinitionChange[] }>('POST', '/api/v1/definitions/diff', { body: document })).changes,
  apply: async (document: unknown) =>
    (await server.call<{ changes: DefinitionChange[] }>('POST', '/api/v1/definitions/apply', { body: document })).changes,
});

export const runCalls = (server: ServerCalls) => ({
  /** With a filter that no index serves, one slice of a search: go on from its cursor, also if it found nothing. */
  list: (filter: RunFilter = {}) => server.call<RunPage>('GET', '/api/v1/runs', { query: filter }),
  get: (runId: string) => server.call<RunDetails>('GET', at`/api/v1/runs/${runId}`),
  /** Is small, however large the run is. */
  head: (runId: string) => server.call<RunHead>('GET', at`/api/v1/runs/${runId}`, { query: { parts: 'head' } }),
  cancel: (runId: string) => server.call<{ run_id: string; status: 'cancelled' }>('POST', at`/api/v1/runs/${runId}/cancel`),
  /** Runs the same request again, as a new run. */
  replay: (runId: string, options: RunReplayOptions = {}) =>
    server.call<StartedReplay>('POST', at`/api/v1/runs/${runId}/replay`, { body: options }),
});

export const rejectionCalls = (server: ServerCalls) => ({
  list: (filter: RejectionFilter = {}) =>
    server.call<{ rejections: Rejection[]; next_cursor: number | null }>('GET', '/api/v1/rejections', { query: filter }),
  get: (position: number) => server.call<RejectionDetails>('GET', at`/api/v1/rejections/${String(position)}`),
});

export const blockedClientCalls = (server: ServerCalls) => ({
  list: async () => (await server.call<{ clients: BlockedClient[] }>('GET', '/api/v1/clients/blocked')).clients,
  /** `address` may be a CIDR. A blocked client gets the new end. */
  block: (address: string, forSeconds: number) =>
    server.call<BlockedClient>('POST', '/api/v1/clients/block', { body: { address, for_seconds: forSeconds } }),
  unblock: (address: string) => server.call<{ address: string }>('POST', '/api/v1/clients/unblock', { body: { address } }),
});
