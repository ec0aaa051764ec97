// Finds faults of a sink's credentials that only the server can know: secrets sealed with another key, and schemes that sign the
// public URL while the server does not know it.

import type { Fault } from '../../core/fault.ts';
import { secretSettings } from '../../core/sink/auth/scheme-auth.ts';
import type { SinkDefinition } from '../../core/sink/sink.ts';
import { signsUrl } from '../../presets/proofs/signed-url.ts';
import { findScheme } from '../../presets/schemes.ts';
import type { Sealer } from '../../sealer.ts';

export interface CredentialContext {
  sealer: Sealer;
  /** True when the operator has set the public address of the server. */
  hasBaseUrl: boolean;
}

export function credentialFaults(definition: SinkDefinition, context: CredentialContext): Fault[] {
  const secret = definition.spam?.captcha?.secret;
  const ofCaptcha = typeof secret === 'object' ? sealFaults('spam.captcha.secret', secret.sealed, context.sealer) : [];
  return [...schemeFaults(definition, context), ...ofCaptcha];
}

function schemeFaults({ auth, publicUrl }: SinkDefinition, { sealer, hasBaseUrl }: CredentialContext): Fault[] {
  if (auth?.type !== 'scheme') return [];
  const { scheme: id, secrets, settings } = auth;
  const scheme = findScheme(id);
  const needsUrl = scheme !== undefined && signsUrl(scheme.proofOf(settings), settings) && publicUrl === null && !hasBaseUrl;
  return [
    ...secrets.flatMap((secret, index) => ('sealed' in secret ? sealFaults(`auth.secrets[${index}]`, secret.sealed, sealer) : [])),
    ...secretSettings(id).flatMap((name) => {
      const { sealed } = Object(settings[name]) as { sealed?: string };
      return sealed === undefined ? [] : sealFaults(`auth.${name}`, sealed, sealer);
    }),
    ...(needsUrl ? [{ path: 'public_url', message: `is missing: ${id} signs the public URL; write it here, or set SLUICE_BASE_URL` }] : []),
  ];
}

function sealFaults(path: string, sealed: string, sealer: Sealer): Fault[] {
  try {
    sealer.open(sealed);
    return [];
  } catch {
    return [{ path, message: 'was sealed by a server with another secret key, or was altered; write the secret itself' }];
  }
}
