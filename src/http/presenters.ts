// Records as the API shows them: snake_case, times in ISO 8601, no secret and no internal number.

import { keptHeaders, keptQuery } from '../core/caller-secrets.ts';
import { decodeText } from '../core/charset.ts';
import { parseJson } from '../core/json.ts';
import type { RequestHead } from '../core/request.ts';
import type { RunError } from '../core/run.ts';
import type { Sink } from '../core/sink.ts';
import { withoutPins } from '../core/workflow-document.ts';
import { describeSink } from '../definitions/describe-sink.ts';
import type { DeliverySummary } from '../storage/delivery-records.ts';
import type { Rejection } from '../storage/rejection.ts';
import type { AppRecord, RunRecord, RunSummary, StepRecord, WorkflowRecord } from '../storage/storage.ts';
import { presentDeliveryBriefly } from './present-delivery.ts';
import type { MaskSecrets } from './shown-secrets.ts';

const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

export function presentApp({ id, name, managedBy, createdAt }: AppRecord): object {
  return { id, name, managed_by: managedBy, created_at: iso(createdAt) };
}

export function presentWorkflow({ id, appId, version, managedBy, createdAt }: WorkflowRecord): object {
  return { id, app_id: appId, version, managed_by: managedBy, created_at: iso(createdAt) };
}

export function presentWorkflowDefinition(workflow: WorkflowRecord): object {
  return { ...presentWorkflow(workflow), definition: withoutPins(parseJson(workflow.document)) };
}

/** `auth` names the scheme only: what opens the sink never comes back. */
export function presentSink(sink: Sink, baseUrl: string): object {
  const { auth: _auth, auth_token: _token, ...described } = describeSink(sink);
  return {
    id: sink.id,
    workflow_id: null,
    ...described,
    auth: sink.auth.type,
    public: sink.auth.type === 'none',
    url: `${baseUrl}/sink/trigger/http/${sink.appId}${sink.path}`,
    managed_by: sink.managedBy,
    created_at: iso(sink.createdAt),
    updated_at: iso(sink.updatedAt),
  };
}

export function presentRunSummary({ id, appId, sinkId, workflow, status, progress, error, createdAt, finishedAt }: RunSummary): object {
  return {
    run_id: id,
    app_id: appId,
    sink_id: sinkId,
    workflow_id: workflow?.id ?? null,
    workflow_version: workflow?.version ?? null,
    status,
    progress,
    ...(error === null ? {} : { error }),
    created_at: iso(createdAt),
    finished_at: iso(finishedAt),
  };
}

export function presentRun(run: RunRecord, maskSecrets: MaskSecrets): object {
  const mask = (text: string): string => maskSecrets(run.id, text);
  return {
    ...presentRunSummary({ ...run, error: maskError(run.error, mask) }),
    ...(run.output === null ? {} : { output: parseJson(mask(run.output)) }),
    steps: run.steps.map((step) => presentStep(step, mask)),
  };
}

/** What only the administrator sees besides: its deliveries, and the request, its body as text where it is text. */
export function presentRunForAdmin(run: RunRecord, deliveries: readonly DeliverySummary[], maskSecrets: MaskSecrets): object {
  const isText = run.bodyKind !== 'file' && run.bodyKind !== 'empty';
  const head = parseJson(run.request) as RequestHead;
  return {
    ...presentRun(run, maskSecrets),
    deliveries: deliveries.map(presentDeliveryBriefly),
    // Of a request that an older version stored, secrets are kept still.
    request: {
      ...head,
      headers: keptHeaders(head.headers),
      query: keptQuery(head.query),
      body: isText ? decodeText(run.body, run.bodyCharset) : null,
    },
  };
}

function presentStep(record: StepRecord, mask: (text: string) => string): object {
  const { step, type, visit, status, attempt, outputs, startedAt, finishedAt, dueAt } = record;
  const error = maskError(record.error, mask);
  return {
    step,
    type,
    visit,
    status,
    attempt,
    ...(outputs === null ? {} : { outputs: parseJson(mask(outputs)) }),
    ...(error === null ? {} : { error }),
    started_at: iso(startedAt),
    finished_at: iso(finishedAt),
    ...(dueAt === null ? {} : { due_at: iso(dueAt) }),
  };
}

function maskError(error: RunError | null, mask: (text: string) => string): RunError | null {
  return error === null ? null : { ...error, message: mask(error.message) };
}

export function presentRejection({
  position,
  sinkId,
  appId,
  method,
  path,
  status,
  code,
  message,
  clientIp,
  folded,
  count,
  firstAt,
  lastAt,
}: Rejection & { position: number }): object {
  return {
    position,
    app_id: appId,
    sink_id: sinkId,
    method,
    path,
    status,
    code,
    message,
    client_ip: clientIp,
    folded,
    count,
    first_at: iso(firstAt),
    last_at: iso(lastAt),
  };
}
