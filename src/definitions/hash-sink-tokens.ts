// Converts a sink's definition to the stored sink: with an id, and hashes instead of tokens.

import type { ManagedBy, Sink, SinkDefinition } from '../core/sink/sink.ts';
import type { AuthDefinition, SinkAuth } from '../core/sink/sink-auth.ts';
import { newSinkId } from '../ids.ts';
import { hashToken } from '../token.ts';

export interface HashOptions {
  managedBy: ManagedBy;
  /** The sink to replace. Its id stays, and so do its credentials if the definition has none. */
  existing?: Sink | undefined;
  now: number;
}

export function hashSinkTokens(definition: SinkDefinition, { managedBy, existing, now }: HashOptions): Sink {
  const { appId, path, method, auth, workflowId, inputs, response, idempotencyKey, webhookOrigins, limits, body, payload } = definition;
  return {
    id: existing?.id ?? newSinkId(),
    appId,
    method,
    path,
    workflowId,
    auth: auth === null ? (existing?.auth ?? { type: 'none' }) : hashAuth(auth),
    inputs,
    response,
    idempotencyKey,
    webhookOrigins,
    limits,
    body,
    payload,
    managedBy,
    createdAt: existing?.createdAt ?? now,
    updatedAt: now,
  };
}

function hashAuth(auth: AuthDefinition): SinkAuth {
  if (auth.type === 'none') return auth;
  return { type: 'bearer', tokenHashes: [...auth.tokens.map(hashToken), ...auth.tokenHashes] };
}
