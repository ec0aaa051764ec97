// Converts a sink to a definition document: only fields that differ from the defaults, and hashes of tokens.

import { writeCredential } from '../../core/sink/auth/credentials.ts';
import type { SinkAuth } from '../../core/sink/auth/sink-auth.ts';
import { writeBodySetting } from '../../core/sink/body-setting.ts';
import { writeCorsSetting } from '../../core/sink/cors-setting.ts';
import { writeFanOut } from '../../core/sink/fan-out-setting.ts';
import { writeIdempotencySetting } from '../../core/sink/idempotency-setting.ts';
import { writeClientRanges } from '../../core/sink/limits/client-ranges.ts';
import { writeFlowSetting } from '../../core/sink/limits/flow-setting.ts';
import { writeRate } from '../../core/sink/limits/rate-setting.ts';
import { DEFAULT_LIMITS } from '../../core/sink/limits/size-limits.ts';
import { writeResponse } from '../../core/sink/response/response-setting.ts';
import { writeSchedules } from '../../core/sink/schedule-setting.ts';
import type { Sink } from '../../core/sink/sink.ts';
import { writeSpamSetting } from '../../core/sink/spam-setting.ts';

const LIMIT_NAMES = {
  bodyBytes: 'body_bytes',
  formBytes: 'form_bytes',
  fileBytes: 'file_bytes',
  fieldBytes: 'field_bytes',
  files: 'files',
  fields: 'fields',
} as const;

/** Hashes and sealed secrets instead of tokens and secrets. */
function describeAuth(auth: SinkAuth): object {
  switch (auth.type) {
    case 'none':
      return { auth_token: null };
    case 'bearer':
      return { auth: { type: 'bearer', token_hashes: auth.tokens.map((token) => writeCredential(token, 'hash', token.hash, true)) } };
    case 'scheme': {
      const secrets = auth.secrets.map((secret) => writeCredential(secret, 'sealed', secret.sealed, false));
      return { auth: { type: auth.scheme, ...(secrets.length === 0 ? {} : { secrets }), ...auth.settings } };
    }
  }
}

export function describeSink(sink: Sink): Record<string, unknown> {
  const {
    appId,
    path,
    method,
    auth,
    workflowId,
    workflows,
    inputs,
    response,
    webhookOrigins,
    split,
    schedules,
    rate,
    flow,
    publicUrl,
    limits,
    body,
    payload,
  } = sink;
  const changedLimits = Object.entries(LIMIT_NAMES).flatMap(([field, name]) => {
    const key = field as keyof typeof LIMIT_NAMES;
    return limits[key] === DEFAULT_LIMITS[key] ? [] : [[name, limits[key]]];
  });
  return {
    app_id: appId,
    path,
    method,
    ...describeAuth(auth),
    ...(workflowId === null ? {} : { workflow_id: workflowId }),
    ...(workflows === undefined ? {} : { workflows: writeFanOut(workflows) }),
    ...(Object.keys(inputs).length === 0 ? {} : { inputs }),
    ...(response.mode === 'stream' ? (response.isWritten === true ? { response: 'stream' } : {}) : { response: writeResponse(response) }),
    ...writeIdempotencySetting(sink),
    ...(webhookOrigins === undefined ? {} : { webhook_origins: webhookOrigins }),
    ...(split === undefined ? {} : { split }),
    ...writeClientRanges(sink),
    ...(rate === undefined ? {} : { rate: writeRate(rate) }),
    ...(schedules === undefined ? {} : { schedules: writeSchedules(schedules) }),
    ...(flow === undefined ? {} : { flow: writeFlowSetting(flow) }),
    ...(publicUrl === null ? {} : { public_url: publicUrl }),
    ...(changedLimits.length === 0 ? {} : { limits: Object.fromEntries(changedLimits) as object }),
    ...(body === 'auto' ? {} : { body: writeBodySetting(body) }),
    ...(sink.schema === undefined ? {} : { schema: sink.schema }),
    ...(payload === null ? {} : { payload }),
    ...(sink.cors === undefined ? {} : { cors: writeCorsSetting(sink.cors) }),
    ...(sink.spam === undefined ? {} : { spam: writeSpamSetting(sink.spam) }),
  };
}
