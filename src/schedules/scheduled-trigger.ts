// The trigger of a sink at a scheduled time: the request that a caller would have sent, without a caller.

import { parseJson } from '../core/json/json.ts';
import type { RequestHead } from '../core/run/request.ts';
import type { ScheduleSetting } from '../core/sink/schedule-setting.ts';
import type { Sink } from '../core/sink/sink.ts';
import type { SinkWorkflow } from '../definitions/catalog.ts';
import type { SmallTrigger } from '../engine/dispatch/trigger.ts';

/** After the clock is set back by no more than this, a scheduled time that comes again starts no second run. */
const KEEP_MS = 32 * 86_400_000;

const JSON_TYPE = 'application/json';

/** `at` is the scheduled time, and `now` the wall time. */
export function scheduledTrigger(
  sink: Sink,
  { workflow, reference }: SinkWorkflow,
  { name, body }: ScheduleSetting,
  { at, now }: { at: number; now: number },
): SmallTrigger {
  const head: RequestHead = {
    method: sink.method === 'ANY' ? 'POST' : sink.method,
    path: sink.path,
    params: {},
    query: {},
    headers: body === null ? {} : { 'content-type': JSON_TYPE },
    content_type: body === null ? null : JSON_TYPE,
    files: [],
    client_ip: '',
    received_at: now,
    schedule: { name, at: new Date(at).toISOString() },
  };
  return {
    appId: sink.appId,
    sinkId: sink.id,
    workflow,
    workflowReference: reference,
    head,
    body: { kind: body === null ? 'empty' : 'json', bytes: Buffer.from(body ?? ''), charset: 'utf-8' },
    request: { ...head, body: body === null ? null : parseJson(body) },
    inputMapping: sink.inputs,
    flow: sink.flow ?? null,
    // No key of a caller contains two spaces.
    idempotency: { key: `schedule ${name} ${at}`, fingerprint: 'schedule', keepMs: KEEP_MS },
  };
}
