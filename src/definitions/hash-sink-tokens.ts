// Turns a sink's definition into the sink that is stored: with an id, and with hashes in place of tokens.

import type { ManagedBy, Sink, SinkDefinition } from '../core/sink/sink.ts';
import type { AuthDefinition, SinkAuth } from '../core/sink/sink-auth.ts';
import { newSinkId } from '../ids.ts';
import { hashToken } from '../token.ts';

export interface SealOptions {
  managedBy: ManagedBy;
  /** The sink that the definition replaces: its id stays, and its credentials where the definition says nothing of any. */
  existing?: Sink | undefined;
  now: number;
}

export function hashSinkTokens(definition: SinkDefinition, { managedBy, existing, now }: SealOptions): Sink {
  const { appId, path, method, auth, workflowId, inputs, response, idempotencyKey, webhookOrigins, limits, body, payload } = definition;
  return {
    id: existing?.id ?? newSinkId(),
    appId,
    method,
    path,
    workflowId,
    auth: auth === null ? (existing?.auth ?? { type: 'none' }) : sealAuth(auth),
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

function sealAuth(auth: AuthDefinition): SinkAuth {
  if (auth.type === 'none') return auth;
  return { type: 'bearer', tokenHashes: [...auth.tokens.map(hashToken), ...auth.tokenHashes] };
}
