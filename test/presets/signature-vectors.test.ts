// Published requests of providers, and forged ones, against their presets.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Preset } from '../../src/presets/preset.ts';
import { findPreset } from '../../src/presets/table.ts';
import { verifyWebhook } from '../support/verify-webhook.ts';

interface Vector {
  id: string;
  provider: string;
  secret: string;
  headers: Record<string, string>;
  body: string;
  /** The bytes, if they are not UTF-8. */
  body_b64?: string;
  now_unix: number;
  /** Of the sink; for schemes that sign it. */
  url?: string;
  valid: boolean;
  note: string;
}

const PRESET_IDS: Record<string, string> = {
  github: 'github',
  stripe: 'stripe',
  slack: 'slack',
  standardwebhooks: 'standard-webhooks',
  svix: 'svix',
  shopify: 'shopify',
  gitlab: 'gitlab',
  'gitlab-signing': 'gitlab-signing',
  linear: 'linear',
  discord: 'discord',
  typeform: 'typeform',
  twilio: 'twilio',
};

const vectors = JSON.parse(readFileSync(new URL('../vectors/signature_vectors.json', import.meta.url), 'utf8')) as Vector[];

test('every provider of the vectors has a preset', () => {
  const providers = new Set(vectors.map(({ provider }) => provider));
  expect([...providers].sort()).toEqual(Object.keys(PRESET_IDS).sort());
});

for (const { id, provider, secret, headers, body, body_b64, now_unix, valid, note, url = 'https://hooks.example.org/vectors' } of vectors) {
  test(`${id} is ${valid ? 'valid' : 'invalid'}: ${note}`, async () => {
    const preset = findPreset(PRESET_IDS[provider] as string) as Preset;
    const request = {
      method: 'POST',
      url,
      headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
      query: Object.fromEntries(new URL(url).searchParams),
      body: body_b64 === undefined ? Buffer.from(body) : Buffer.from(body_b64, 'base64'),
    };
    const verdict = await verifyWebhook(preset, [{ value: secret, endsAt: null }], request, now_unix * 1000);
    expect(verdict).toMatchObject({ isProven: valid });
  });
}
