// All presets, one row per provider.

import type { Preset } from './preset.ts';
import { CODE_SCHEMES } from './table/code-schemes.ts';
import { HMAC_BODY_CUSTOMERS } from './table/hmac-body-customers.ts';
import { HMAC_BODY_DEVELOPMENT } from './table/hmac-body-development.ts';
import { HMAC_BODY_WORK } from './table/hmac-body-work.ts';
import { HMAC_ID_HEADER } from './table/hmac-id-header.ts';
import { HMAC_TIME_HEADER } from './table/hmac-time-header.ts';
import { HMAC_TIME_IN_HEADER } from './table/hmac-time-in-header.ts';
import { HMAC_URL } from './table/hmac-url.ts';
import { JWT } from './table/jwt.ts';
import { PUBLIC_KEY } from './table/public-key.ts';
import { SHARED_SECRET } from './table/shared-secret.ts';

const PRESETS: readonly Preset[] = [
  ...HMAC_BODY_DEVELOPMENT,
  ...HMAC_BODY_WORK,
  ...HMAC_BODY_CUSTOMERS,
  ...HMAC_TIME_IN_HEADER,
  ...HMAC_ID_HEADER,
  ...HMAC_TIME_HEADER,
  ...HMAC_URL,
  ...CODE_SCHEMES,
  ...PUBLIC_KEY,
  ...JWT,
  ...SHARED_SECRET,
];

const byId = new Map(PRESETS.map((preset) => [preset.id, preset]));

export function findPreset(id: string): Preset | undefined {
  return byId.get(id);
}

export function listPresets(): readonly Preset[] {
  return PRESETS;
}
