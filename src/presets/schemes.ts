// All schemes that a sink can name as its `auth.type`, beside `none` and `bearer`.

import { GENERIC_SCHEMES } from './generic.ts';
import type { Preset } from './preset.ts';
import type { Scheme } from './scheme.ts';
import { findPreset, listPresets } from './table.ts';

export function findScheme(id: string): Scheme | undefined {
  const preset = findPreset(id);
  return preset === undefined ? GENERIC_SCHEMES.find((scheme) => scheme.id === id) : ofPreset(preset);
}

/** The ids of all schemes, generic ones first. */
export function schemeIds(): string[] {
  return [...GENERIC_SCHEMES, ...listPresets()].map(({ id }) => id);
}

function ofPreset(preset: Preset): Scheme {
  return {
    id: preset.id,
    preset,
    settings: preset.settings ?? [],
    needsSecrets: () => preset.secretFrom !== 'none',
    capturesSecret: preset.handshakes.some(({ kind }) => kind === 'capture-secret'),
    proofOf: () => preset.proof,
    faultsOf: () => [],
  };
}
