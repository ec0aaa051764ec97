// Sinks: the inbound endpoint definitions. Field names come from the HTTP Sink document (`path`, `method`,
// `auth_token`), plus optional fields of our own.

import { appIdFault } from '../app.ts';
import type { Fault } from '../fault.ts';
import { createSchemaCheck, type JsonSchema } from '../schema.ts';
import { type AuthDefinition, type AuthDocument, authFaults, authProperties, readAuth, type SinkAuth } from './auth/sink-auth.ts';
import { type BodyDocument, type BodySetting, bodySchema, readBodySetting } from './body-setting.ts';
import { type CorsDocument, type CorsSetting, corsFaults, corsSchema, readCorsSetting } from './cors-setting.ts';
import { type FanOutDocument, type FanOutEntry, fanOutFaults, fanOutSchema, readFanOut } from './fan-out-setting.ts';
import {
  type IdempotencyDocument,
  idempotencyFaults,
  idempotencySchema,
  NO_IDEMPOTENCY,
  readIdempotencySetting,
} from './idempotency-setting.ts';
import { inputFault } from './input-selector.ts';
import { batchSinkFaults } from './limits/batch-setting.ts';
import {
  type ClientRanges,
  type ClientRangesDocument,
  clientRangesFaults,
  clientRangesProperties,
  readClientRanges,
} from './limits/client-ranges.ts';
import { type FlowDocument, type FlowSetting, flowFaults, flowSchema, readFlowSetting } from './limits/flow-setting.ts';
import { rateSchema, readRate, type SinkRate, type SinkRateDocument } from './limits/rate-setting.ts';
import { type LimitsDocument, limitsSchema, readLimits, type SinkLimits } from './limits/size-limits.ts';
import { formSinkFaults } from './response/form-setting.ts';
import { responseSchema, type SinkResponse } from './response/response-mode.ts';
import { providerFaults, readResponse, responseFaults } from './response/response-setting.ts';
import { readSchedules, type ScheduleDocument, type ScheduleSetting, scheduleFaults, schedulesSchema } from './schedule-setting.ts';
import { type BodySchema, bodySchemaFaults, bodySchemaSchema } from './schema-setting.ts';
import { canonicalPattern, paramNames, patternFault } from './sink-path.ts';
import { readSpamSetting, type SpamDefinition, type SpamDocument, type SpamSetting, spamFaults, spamSchema } from './spam-setting.ts';
import { splitFaults } from './split-setting.ts';

export const SINK_METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
export type SinkMethod = (typeof SINK_METHODS)[number] | 'ANY';

/** Platforms whose requests are validated and normalised into `$request.payload`. */
const PAYLOAD_SOURCES = ['robovision', 'v7', 'roboflow'] as const;
export type PayloadSource = (typeof PAYLOAD_SOURCES)[number];

interface SinkSettings extends ClientRanges {
  path: string;
  method: SinkMethod;
  workflowId: string | null;
  /** Workflows that one request may start; `workflowId` is null then. */
  workflows?: readonly FanOutEntry[] | undefined;
  /** Explicit source of workflow inputs: input name to selector. */
  inputs: Record<string, string>;
  response: SinkResponse;
  /** Selects what names a message; `none` for nothing. Absent: the id that the scheme of the sink names, if any. */
  idempotencyKey?: string | undefined;
  /** How long a message is remembered; 24 by default. */
  idempotencyHours?: number | undefined;
  /** Origins that the handshake allows to send here (CloudEvents web hooks, 4); `*` for all. */
  webhookOrigins?: readonly string[] | undefined;
  /** Selects a list in the body; each of its items is a run of its own. */
  split?: string | undefined;
  /** Absent: the rate of the server. */
  rate?: SinkRate | undefined;
  /** Times at which the sink also runs; absent for none. */
  schedules?: readonly ScheduleSetting[] | undefined;
  /** When runs may start. Absent: at once. */
  flow?: FlowSetting | undefined;
  /** The URL that senders use, for schemes that sign it; null for the server's own address and path. */
  publicUrl: string | null;
  limits: SinkLimits;
  body: BodySetting;
  /** What bodies must fit. Absent: anything. */
  schema?: BodySchema | undefined;
  /** Origins whose scripts may read the answers; absent: none is named. */
  cors?: CorsSetting | undefined;
  /** The platform that sends; null for any sender. */
  payload: PayloadSource | null;
}

export interface SinkDefinition extends SinkSettings {
  appId: string;
  /** Null when the definition has no credentials: a new sink is then public, an existing one keeps its credentials. */
  auth: AuthDefinition | null;
  spam?: SpamDefinition | undefined;
}

/** The owner of a definition. The API does not change definitions of the files or the demo. */
export type ManagedBy = 'api' | DefinitionOwner;
/** Owners that define by whole documents. */
export type DefinitionOwner = 'config' | 'demo';

export interface Sink extends SinkSettings {
  id: string;
  appId: string;
  auth: SinkAuth;
  /** Guards of a form. */
  spam?: SpamSetting | undefined;
  managedBy: ManagedBy;
  createdAt: number;
  updatedAt: number;
}

export const sinkSchema: JsonSchema = {
  type: 'object',
  required: ['path', 'method'],
  additionalProperties: false,
  properties: {
    app_id: { type: 'string' },
    path: { type: 'string' },
    method: { type: 'string', enum: [...SINK_METHODS, 'ANY'] },
    ...authProperties,
    workflow_id: { type: ['string', 'null'] },
    workflows: fanOutSchema,
    inputs: { type: 'object', additionalProperties: { type: 'string' } },
    response: responseSchema,
    idempotency_key: { type: 'string', description: 'a selector of what names a message, as "$request.headers.webhook-id"' },
    idempotency: idempotencySchema,
    webhook_origins: {
      type: 'array',
      maxItems: 32,
      items: { type: 'string', pattern: '^(?:\\*|[A-Za-z0-9._:/-]{1,255})$' },
      description: 'senders that may ask, as CloudEvents web hooks do, whether they may send here; "*" is all',
    },
    split: {
      type: 'string',
      description: 'a selector of a list in the body, as "$request.body.events": each item starts a run of its own',
    },
    ...clientRangesProperties,
    rate: rateSchema,
    schedules: schedulesSchema,
    flow: flowSchema,
    public_url: {
      type: ['string', 'null'],
      pattern: '^https?://[\\x21-\\x7e]{1,2000}$',
      description: 'must be the http(s) URL that the sender uses',
    },
    limits: limitsSchema,
    body: bodySchema,
    schema: bodySchemaSchema,
    cors: corsSchema,
    spam: spamSchema,
    payload: { enum: [...PAYLOAD_SOURCES, null] },
  },
};

const checkSchema = createSchemaCheck(sinkSchema);

interface SinkDocument extends AuthDocument, ClientRangesDocument {
  app_id?: string;
  path: string;
  method: SinkMethod;
  workflow_id?: string | null;
  workflows?: FanOutDocument[];
  inputs?: Record<string, string>;
  response?: unknown;
  idempotency_key?: string;
  idempotency?: IdempotencyDocument;
  webhook_origins?: string[];
  split?: string;
  rate?: SinkRateDocument;
  schedules?: ScheduleDocument[];
  flow?: FlowDocument | null;
  public_url?: string | null;
  limits?: LimitsDocument;
  body?: BodyDocument;
  schema?: BodySchema | null;
  cors?: CorsDocument;
  spam?: SpamDocument;
  payload?: PayloadSource | null;
}

/** Reads a definition from a request body or a file. `appId` is set when the URL names the app. */
export function parseSink(document: unknown, appId?: string): { sink: SinkDefinition; faults: [] } | { sink: null; faults: Fault[] } {
  const given = withUpperCaseMethod(document);
  const schemaFaults = checkSchema(given);
  if (schemaFaults.length > 0) return { sink: null, faults: schemaFaults };
  const sink = given as SinkDocument;
  const faults = sinkFaults(sink, appId);
  if (faults.length > 0) return { sink: null, faults };
  const read = readSink(sink, appId ?? (sink.app_id as string));
  const unfit = providerFaults(read.auth, read.response);
  return unfit.length > 0 ? { sink: null, faults: unfit } : { sink: read, faults: [] };
}

function withUpperCaseMethod(document: unknown): unknown {
  const method = (document as { method?: unknown } | null)?.method;
  return typeof method === 'string' ? { ...(document as object), method: method.toUpperCase() } : document;
}

function sinkFaults(sink: SinkDocument, appId: string | undefined): Fault[] {
  const faults: Fault[] = [];
  const fault = (path: string, message: string | null): void => {
    if (message !== null) faults.push({ path, message });
  };
  if (appId === undefined && sink.app_id === undefined) fault('', 'field "app_id" is missing');
  else fault('app_id', appIdFault(appId ?? sink.app_id));
  if (appId !== undefined && sink.app_id !== undefined && sink.app_id !== appId)
    fault('app_id', `must be "${appId}", the app that the URL names`);
  fault('path', patternFault(sink.path));
  faults.push(...authFaults(sink));
  faults.push(...clientRangesFaults(sink));
  const scope = { params: paramNames(sink.path), hasPayload: (sink.payload ?? null) !== null, isBatch: false };
  const inputScope = { ...scope, isBatch: sink.flow?.batch !== undefined };
  for (const [name, text] of Object.entries(sink.inputs ?? {})) fault(`inputs.${name}`, inputFault(text, inputScope));
  faults.push(...idempotencyFaults(sink));
  const { idempotencyKey } = readIdempotencySetting(sink);
  if (idempotencyKey !== undefined && idempotencyKey !== NO_IDEMPOTENCY)
    fault(sink.idempotency === undefined ? 'idempotency_key' : 'idempotency', inputFault(idempotencyKey, scope));
  if (typeof sink.payload === 'string' && sink.body !== undefined && sink.body !== 'auto')
    fault('body', `cannot stand beside payload: what ${sink.payload} sends is read as it sends it`);
  faults.push(...bodySchemaFaults(sink));
  if (sink.cors !== undefined) faults.push(...corsFaults(sink.cors));
  if (sink.spam !== undefined) faults.push(...spamFaults(sink.spam));
  faults.push(...formSinkFaults(sink));
  if (sink.split !== undefined) faults.push(...splitFaults(sink, scope));
  faults.push(...fanOutFaults(sink, scope));
  faults.push(...scheduleFaults(sink));
  faults.push(...flowFaults(sink.flow, (text) => inputFault(text, scope)), ...batchSinkFaults(sink));
  const outputs = (sink.workflow_id ?? null) === null ? CAPTURED : null;
  faults.push(...responseFaults(sink.response, { ...scope, outputs }));
  return faults;
}

/** Output names of a sink without a workflow. */
const CAPTURED = ['received'];

function readSink(sink: SinkDocument, appId: string): SinkDefinition {
  return {
    appId,
    path: canonicalPattern(sink.path),
    method: sink.method,
    auth: readAuth(sink),
    workflowId: sink.workflow_id ?? null,
    workflows: readFanOut(sink.workflows),
    inputs: sink.inputs ?? {},
    response: readResponse(sink.response),
    ...readIdempotencySetting(sink),
    webhookOrigins: sink.webhook_origins,
    split: sink.split,
    ...readClientRanges(sink),
    rate: readRate(sink.rate),
    schedules: readSchedules(sink.schedules),
    flow: readFlowSetting(sink.flow),
    publicUrl: sink.public_url ?? null,
    limits: readLimits(sink.limits),
    body: readBodySetting(sink.body ?? 'auto'),
    ...(sink.schema == null ? {} : { schema: sink.schema }),
    ...(sink.cors === undefined ? {} : { cors: readCorsSetting(sink.cors) }),
    ...(sink.spam === undefined ? {} : { spam: readSpamSetting(sink.spam) }),
    payload: sink.payload ?? null,
  };
}
