// Presents records in the API: snake_case, times in ISO 8601, without secrets and internal numbers.

import { parseJson, stringifyJson } from '../../core/json/json.ts';
import type { RequestHead } from '../../core/run/request.ts';
import type { RunError } from '../../core/run/run.ts';
import { keptHeaders, keptQuery } from '../../core/secrets/caller-secrets.ts';
import type { SinkAuth } from '../../core/sink/auth/sink-auth.ts';
import { writeSchedules } from '../../core/sink/schedule-setting.ts';
import type { Sink } from '../../core/sink/sink.ts';
import { decodeText } from '../../core/values/charset.ts';
import { withoutPins } from '../../core/workflow/document.ts';
import { describeSink } from '../../definitions/sinks/describe-sink.ts';
import type { Scheduler, ScheduleTimes } from '../../schedules/scheduler.ts';
import type { AppRecord, WorkflowRecord } from '../../storage/definition-store.ts';
import type { DeliverySummary } from '../../storage/delivery-records.ts';
import type { RunOutcomeRecord, RunRecord, RunSummary } from '../../storage/runs/run-queries.ts';
import type { StepRecord } from '../../storage/runs/run-records.ts';
import type { CredentialUses } from '../trigger/senders/credential-uses.ts';
import { presentDeliveryBriefly } from './present-delivery.ts';
import { presentReplay } from './replays/present-job.ts';
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

export interface PresentedSchedule {
  next_at: string | null;
  last_at: string | null;
}

export interface SinkContext {
  baseUrl: string;
  uses: CredentialUses;
  scheduler: Pick<Scheduler, 'timesOf'>;
}

/** `auth` is only the type or scheme: tokens and secrets are never shown. */
export function presentSink(sink: Sink, { baseUrl, uses, scheduler }: SinkContext): object {
  const { auth: _auth, auth_token: _token, ...described } = describeSink(sink);
  const { auth } = sink;
  return {
    id: sink.id,
    workflow_id: null,
    ...described,
    auth: auth.type === 'scheme' ? auth.scheme : auth.type,
    public: auth.type === 'none',
    ...(auth.type === 'none' ? {} : { credentials: presentCredentials(sink.id, auth, uses) }),
    ...(sink.schedules === undefined ? {} : { schedules: presentSchedules(sink, scheduler) }),
    url: `${baseUrl}/sink/trigger/http/${sink.appId}${sink.path}`,
    managed_by: sink.managedBy,
    created_at: iso(sink.createdAt),
    updated_at: iso(sink.updatedAt),
  };
}

/** As the definition writes them, with their times. */
export function presentSchedules(sink: Sink, scheduler: SinkContext['scheduler']): PresentedSchedule[] {
  const settings = sink.schedules ?? [];
  const written = writeSchedules(settings);
  return settings.map((setting, index) => ({ ...written[index], ...presentTimes(scheduler.timesOf(sink, setting)) }));
}

function presentTimes({ nextAt, lastAt }: ScheduleTimes): PresentedSchedule {
  return { next_at: iso(nextAt), last_at: iso(lastAt) };
}

/** `last_used_at` is since the start of this process. */
function presentCredentials(sinkId: string, auth: Exclude<SinkAuth, { type: 'none' }>, uses: CredentialUses): object[] {
  const stored =
    auth.type === 'bearer'
      ? auth.tokens.map((token) => ({ ...token, stored: token.hash }))
      : auth.secrets.map((secret) => ({ ...secret, stored: secret.sealed }));
  return stored.map(({ name, endsAt, stored: text }) => ({ name, ends_at: iso(endsAt), last_used_at: iso(uses.lastUse(sinkId, text)) }));
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

/** Returns JSON text. Stored JSON is inserted without parsing, which would need many times its size. */
export function presentRun(run: RunOutcomeRecord, maskSecrets: MaskSecrets): string {
  const mask = (text: string): string => maskSecrets(run.id, text);
  const summary = stringifyJson(presentRunSummary({ ...run, error: maskError(run.error, mask) }));
  let steps = '';
  for (const step of run.steps) steps += `${steps === '' ? '' : ','}${presentStep(step, mask)}`;
  return extended(summary, { ...(run.output === null ? {} : { output: mask(run.output) }), steps: `[${steps}]` });
}

/** Adds what only the administrator may see: deliveries, and the request with a body of text. */
export function presentRunForAdmin(run: RunRecord, deliveries: readonly DeliverySummary[], maskSecrets: MaskSecrets): string {
  const isText = run.bodyKind !== 'file' && run.bodyKind !== 'empty';
  const head = parseJson(run.request) as RequestHead;
  // Requests stored by an older version still contain secrets.
  const request = stringifyJson({ ...head, headers: keptHeaders(head.headers), query: keptQuery(head.query) });
  const body = isText ? JSON.stringify(decodeText(run.body, run.bodyCharset)) : 'null';
  const { replay } = presentReplay(run.replay);
  return extended(presentRun(run, maskSecrets), {
    ...(replay === undefined ? {} : { replay: stringifyJson(replay) }),
    deliveries: stringifyJson(deliveries.map(presentDeliveryBriefly)),
    request: extended(request, { body, body_kind: JSON.stringify(run.bodyKind) }),
  });
}

/** Appends fields, whose values are JSON text, to the text of an object. Concatenates with `+`, which copies no value. */
function extended(object: string, fields: Record<string, string>): string {
  let text = object.slice(0, -1);
  for (const [name, value] of Object.entries(fields)) text += `,"${name}":${value}`;
  return `${text}}`;
}

function presentStep(record: StepRecord, mask: (text: string) => string): string {
  const { step, type, visit, status, attempt, outputs, startedAt, finishedAt, dueAt, awaits } = record;
  const error = maskError(record.error, mask);
  const times = { started_at: iso(startedAt), finished_at: iso(finishedAt), ...(dueAt === null ? {} : { due_at: iso(dueAt) }) };
  const isAwaiting = awaits !== null && status === 'waiting';
  const rest = stringifyJson({ ...(error === null ? {} : { error }), ...times, ...(isAwaiting ? { waits_for: 'reply' } : {}) });
  const head = stringifyJson({ step, type, visit, status, attempt });
  return `${head.slice(0, -1)}${outputs === null ? '' : `,"outputs":${mask(outputs)}`},${rest.slice(1)}`;
}

function maskError(error: RunError | null, mask: (text: string) => string): RunError | null {
  return error === null ? null : { ...error, message: mask(error.message) };
}
