// Converts a sink to a definition document: only fields that differ from the defaults, and hashes of tokens.

import { writeBodySetting } from '../core/sink/body-setting.ts';
import { DEFAULT_LIMITS, type Sink } from '../core/sink/sink.ts';

const LIMIT_NAMES = {
  bodyBytes: 'body_bytes',
  formBytes: 'form_bytes',
  fileBytes: 'file_bytes',
  fieldBytes: 'field_bytes',
  files: 'files',
  fields: 'fields',
} as const;

export function describeSink(sink: Sink): Record<string, unknown> {
  const { appId, path, method, auth, workflowId, inputs, response, idempotencyKey, webhookOrigins, limits, body, payload } = sink;
  const changedLimits = Object.entries(LIMIT_NAMES).flatMap(([field, name]) => {
    const key = field as keyof typeof LIMIT_NAMES;
    return limits[key] === DEFAULT_LIMITS[key] ? [] : [[name, limits[key]]];
  });
  return {
    app_id: appId,
    path,
    method,
    ...(auth.type === 'none' ? { auth_token: null } : { auth: { type: 'bearer', token_hashes: auth.tokenHashes } }),
    ...(workflowId === null ? {} : { workflow_id: workflowId }),
    ...(Object.keys(inputs).length === 0 ? {} : { inputs }),
    ...(response.mode === 'stream' ? (response.isWritten === true ? { response: 'stream' } : {}) : { response }),
    ...(idempotencyKey === undefined ? {} : { idempotency_key: idempotencyKey }),
    ...(webhookOrigins === undefined ? {} : { webhook_origins: webhookOrigins }),
    ...(changedLimits.length === 0 ? {} : { limits: Object.fromEntries(changedLimits) as object }),
    ...(body === 'auto' ? {} : { body: writeBodySetting(body) }),
    ...(payload === null ? {} : { payload }),
  };
}
