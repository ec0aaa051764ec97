// Opens the sealed secrets of a sink, and makes the verifier of its scheme with them.

import type { SchemeAuth } from '../../../core/sink/auth/scheme-auth.ts';
import { AppError } from '../../../errors.ts';
import type { HandshakeSettings } from '../../../presets/handshakes.ts';
import type { Place } from '../../../presets/preset.ts';
import type { Verifier } from '../../../presets/proofs/proof.ts';
import { createVerifier } from '../../../presets/proofs/verifier.ts';
import type { SenderKeys } from '../../../presets/remote/sender-keys.ts';
import type { Scheme, SettingValues } from '../../../presets/scheme.ts';
import { findScheme } from '../../../presets/schemes.ts';
import type { Sealer } from '../../../sealer.ts';

/** A scheme with the secrets of one sink. */
export interface OpenedScheme {
  scheme: Scheme;
  verifier: Verifier;
  known: HandshakeSettings;
  /** The place in the body where the sender puts its secret; null for none. */
  secretPlace: Place | null;
}

/** Where a sender puts the secret itself; null for a scheme that signs. Needs no secret of the sink. */
export function secretPlaceOf({ scheme: id, settings }: SchemeAuth): Place | null {
  const proof = findScheme(id)?.proofOf(settings as SettingValues);
  return proof?.kind === 'equal' ? proof.place : null;
}

/** Throws `unavailable` when the secrets cannot be opened, so that no request passes. */
export function openScheme({ scheme: id, secrets, settings }: SchemeAuth, sealer: Sealer, keys: SenderKeys): OpenedScheme {
  const scheme = findScheme(id);
  if (scheme === undefined)
    throw new AppError('unavailable', `this version has no scheme "${id}", which the sink names`, { retryAfterSeconds: 60 });
  const { opened, clear } = openSecrets({ secrets, settings }, sealer);
  const texts = Object.fromEntries(Object.entries(clear).map(([name, value]) => [name, String(value)]));
  const proof = scheme.proofOf(clear);
  return {
    scheme,
    secretPlace: proof.kind === 'equal' && proof.place.startsWith('body:') ? proof.place : null,
    verifier: createVerifier(scheme, opened, clear, keys),
    known: { secrets: opened.map(({ value }) => value), settings: texts },
  };
}

function openSecrets({ secrets, settings }: Pick<SchemeAuth, 'secrets' | 'settings'>, sealer: Sealer) {
  try {
    const opened = secrets.map(({ sealed, endsAt }) => ({ value: sealer.open(sealed), endsAt }));
    const clear = Object.fromEntries(
      Object.entries(settings).map(([name, value]) => [name, isSealedSetting(value) ? sealer.open(value.sealed) : value]),
    );
    return { opened, clear };
  } catch (error) {
    throw new AppError('unavailable', 'the secrets of this sink cannot be opened: they were sealed with another secret key', {
      retryAfterSeconds: 60,
      cause: error,
    });
  }
}

function isSealedSetting(value: unknown): value is { sealed: string } {
  return typeof value === 'object' && value !== null && 'sealed' in value;
}
