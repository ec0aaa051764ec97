// All presets, one row per provider.

import type { Preset } from './preset.ts';
import { HMAC_BODY } from './table/hmac-body.ts';

const PRESETS: readonly Preset[] = [...HMAC_BODY];

const byId = new Map(PRESETS.map((preset) => [preset.id, preset]));

export function findPreset(id: string): Preset | undefined {
  return byId.get(id);
}

export function listPresets(): readonly Preset[] {
  return PRESETS;
}
