// Whether a proof covers the public URL of the sink, which the server must then know.

import type { Proof } from '../preset.ts';
import type { SettingValues } from '../scheme.ts';
import { bindsUrl } from './jwt-claims.ts';

export function signsUrl(proof: Proof, settings: SettingValues): boolean {
  if (proof.kind === 'signature') return /\{(?:hubspot_)?url\}/.test(proof.signed);
  if (proof.kind === 'jwt') return bindsUrl(proof, settings);
  return proof.kind === 'code' && (proof.scheme === 'twilio' || proof.scheme === 'mandrill');
}
