// Converts a sink's definition to the stored sink: with an id, hashes instead of tokens, and sealed secrets.

import type { SealedSecret, TokenHash } from '../../core/sink/auth/credentials.ts';
import { type SecretDefinition, secretSettings } from '../../core/sink/auth/scheme-auth.ts';
import type { AuthDefinition, SinkAuth, TokenDefinition } from '../../core/sink/auth/sink-auth.ts';
import type { ManagedBy, Sink, SinkDefinition } from '../../core/sink/sink.ts';
import { sealSpam } from '../../core/sink/spam-setting.ts';
import { newSinkId } from '../../ids.ts';
import type { Sealer } from '../../sealer.ts';
import { hashToken } from '../../token.ts';

export interface StoreOptions {
  managedBy: ManagedBy;
  /** The sink to replace. Its id stays, and so do its credentials if the definition has none. */
  existing?: Sink | undefined;
  sealer: Sealer;
  now: number;
}

/** The definition has no faults, those of `credentialFaults` included. */
export function toStoredSink(definition: SinkDefinition, { managedBy, existing, sealer, now }: StoreOptions): Sink {
  const { auth, spam, ...settings } = definition;
  return {
    id: existing?.id ?? newSinkId(),
    ...settings,
    ...(spam === undefined ? {} : { spam: sealSpam(spam, (text) => sealer.seal(text)) }),
    auth: auth === null ? (existing?.auth ?? { type: 'none' }) : withCapturedSecrets(storeAuth(auth, sealer), existing?.auth),
    managedBy,
    createdAt: existing?.createdAt ?? now,
    updatedAt: now,
  };
}

function storeAuth(auth: AuthDefinition, sealer: Sealer): SinkAuth {
  switch (auth.type) {
    case 'none':
      return auth;
    case 'bearer':
      return { type: 'bearer', tokens: auth.tokens.map(storeToken) };
    case 'scheme':
      return {
        type: 'scheme',
        scheme: auth.scheme,
        secrets: auth.secrets.map((secret) => storeSecret(secret, sealer)),
        settings: sealSettings(auth.scheme, auth.settings, sealer),
      };
  }
}

/** A definition cannot contain a secret that the provider brought. */
function withCapturedSecrets(auth: SinkAuth, existing: SinkAuth | undefined): SinkAuth {
  if (auth.type !== 'scheme' || auth.secrets.length > 0 || existing?.type !== 'scheme' || existing.scheme !== auth.scheme) return auth;
  return { ...auth, secrets: existing.secrets.filter(({ captured }) => captured !== undefined) };
}

function storeToken(token: TokenDefinition): TokenHash {
  const { name, endsAt } = token;
  return { name, endsAt, hash: 'hash' in token ? token.hash : hashToken(token.token) };
}

function storeSecret(secret: SecretDefinition, sealer: Sealer): SealedSecret {
  const { name, endsAt } = secret;
  return { name, endsAt, sealed: 'sealed' in secret ? secret.sealed : sealer.seal(secret.value) };
}

function sealSettings(scheme: string, settings: Record<string, unknown>, sealer: Sealer): Record<string, unknown> {
  const sealed = secretSettings(scheme).flatMap((name) => {
    const value = settings[name];
    return typeof value === 'string' ? [[name, { sealed: sealer.seal(value) }]] : [];
  });
  return { ...settings, ...Object.fromEntries(sealed) };
}
