// The vendors' own libraries and our presets give the same verdict on the same requests: as signed, and changed in every part.

import { createHmac, generateKeyPairSync, randomBytes, sign as signBytes } from 'node:crypto';
import { LinearWebhookClient } from '@linear/sdk/webhooks';
import { sign as signForGithub, verify as verifyForGithub } from '@octokit/webhooks-methods';
import { verifySlackRequest } from '@slack/bolt';
import { verifyKey } from 'discord-interactions';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import Stripe from 'stripe';
import twilio from 'twilio';
import { expect, test } from 'vitest';
import type { Preset } from '../../src/presets/preset.ts';
import { findPreset } from '../../src/presets/table.ts';
import { verifyWebhook } from '../support/verify-webhook.ts';

/** The libraries read the clock of the machine. */
const seconds = (): string => String(Math.floor(Date.now() / 1000));

const { getExpectedTwilioSignature, validateRequest } = twilio;

interface Signed {
  body: string;
  headers: Record<string, string>;
}

interface Vendor {
  preset: string;
  secret: string;
  /** JSON by default. */
  contentType?: string;
  sign: (body: string) => Promise<Signed> | Signed;
  /** By the vendor's library; may throw for a request that it refuses. */
  verify: (request: Signed) => Promise<boolean> | boolean;
}

const SECRET = 'a-secret-of-a-vendor';
const URL_SENT = 'https://hooks.example/in';
const WHSEC = `whsec_${randomBytes(24).toString('base64')}`;
const discord = generateKeyPairSync('ed25519');
const DISCORD_KEY = discord.publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('hex');

const VENDORS: Vendor[] = [
  {
    preset: 'github',
    secret: SECRET,
    sign: async (body) => ({ body, headers: { 'x-hub-signature-256': await signForGithub(SECRET, body) } }),
    verify: ({ body, headers }) => verifyForGithub(SECRET, body, headers['x-hub-signature-256'] as string),
  },
  {
    preset: 'stripe',
    secret: SECRET,
    sign: (body) => ({
      body,
      headers: { 'stripe-signature': Stripe.webhooks.generateTestHeaderString({ payload: body, secret: SECRET }) },
    }),
    verify: ({ body, headers }) => Stripe.webhooks.constructEvent(body, headers['stripe-signature'] as string, SECRET) !== null,
  },
  {
    preset: 'slack',
    secret: SECRET,
    sign(body) {
      const time = seconds();
      const signature = `v0=${createHmac('sha256', SECRET).update(`v0:${time}:${body}`).digest('hex')}`;
      return { body, headers: { 'x-slack-request-timestamp': time, 'x-slack-signature': signature } };
    },
    verify({ body, headers }) {
      const timestamp = Number(headers['x-slack-request-timestamp']);
      const signature = headers['x-slack-signature'] as string;
      verifySlackRequest({
        signingSecret: SECRET,
        body,
        headers: { 'x-slack-request-timestamp': timestamp, 'x-slack-signature': signature },
      });
      return true;
    },
  },
  {
    preset: 'standard-webhooks',
    secret: WHSEC,
    sign(body) {
      const now = new Date();
      const signature = new Webhook(WHSEC).sign('msg_1', now, body);
      return {
        body,
        headers: { 'webhook-id': 'msg_1', 'webhook-timestamp': String(Math.floor(now.getTime() / 1000)), 'webhook-signature': signature },
      };
    },
    verify({ body, headers }) {
      new Webhook(WHSEC).verify(body, headers, { jsonParse: false });
      return true;
    },
  },
  {
    preset: 'discord',
    secret: DISCORD_KEY,
    sign(body) {
      const time = seconds();
      const signature = signBytes(null, Buffer.from(time + body), discord.privateKey).toString('hex');
      return { body, headers: { 'x-signature-timestamp': time, 'x-signature-ed25519': signature } };
    },
    verify: ({ body, headers }) =>
      verifyKey(body, headers['x-signature-ed25519'] as string, headers['x-signature-timestamp'] as string, DISCORD_KEY),
  },
  {
    preset: 'twilio',
    secret: SECRET,
    contentType: 'application/x-www-form-urlencoded',
    sign(body) {
      const fields = JSON.parse(body) as Record<string, unknown>;
      const form = new URLSearchParams(Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)])));
      return {
        body: form.toString(),
        headers: { 'x-twilio-signature': getExpectedTwilioSignature(SECRET, URL_SENT, Object.fromEntries(form)) },
      };
    },
    verify: ({ body, headers }) =>
      validateRequest(SECRET, headers['x-twilio-signature'] as string, URL_SENT, Object.fromEntries(new URLSearchParams(body))),
  },
  {
    preset: 'linear',
    secret: SECRET,
    sign(body) {
      const timed = JSON.stringify({ ...(JSON.parse(body) as object), webhookTimestamp: Date.now() });
      return { body: timed, headers: { 'linear-signature': createHmac('sha256', SECRET).update(timed).digest('hex') } };
    },
    verify: ({ body, headers }) =>
      new LinearWebhookClient(SECRET).verify(
        Buffer.from(body),
        headers['linear-signature'] as string,
        (JSON.parse(body) as { webhookTimestamp: number }).webhookTimestamp,
      ),
  },
];

async function isAcceptedBy(vendor: Vendor, request: Signed): Promise<boolean> {
  try {
    return await vendor.verify(request);
  } catch {
    return false;
  }
}

async function isAcceptedHere({ preset, secret, contentType = 'application/json' }: Vendor, signed: Signed): Promise<boolean> {
  const { body } = signed;
  const headers = { ...signed.headers, 'content-type': contentType };
  const request = { method: 'POST', url: URL_SENT, headers, query: {}, body: Buffer.from(body) };
  return (await verifyWebhook(findPreset(preset) as Preset, [{ value: secret, endsAt: null }], request, Date.now())).isProven;
}

const flipped = (text: string, at: number): string => {
  const index = at % text.length;
  return text.slice(0, index) + (text[index] === '1' ? '2' : '1') + text.slice(index + 1);
};

/** JSON with text of any kind, as a provider would send it. */
const bodies = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.oneof(fc.string({ unit: 'grapheme' }), fc.integer(), fc.boolean()), {
  maxKeys: 5,
});

for (const vendor of VENDORS) {
  test(`${vendor.preset} agrees with the library of the vendor`, { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(bodies, fc.nat(), async (content, at) => {
        const signed = await vendor.sign(JSON.stringify(content));
        expect([await isAcceptedBy(vendor, signed), await isAcceptedHere(vendor, signed)]).toEqual([true, true]);
        const altered = [
          { ...signed, body: `${signed.body} ` },
          ...Object.entries(signed.headers).map(([name, value]) => ({
            ...signed,
            headers: { ...signed.headers, [name]: flipped(value, at) },
          })),
          ...Object.keys(signed.headers).map((name) => ({
            ...signed,
            headers: Object.fromEntries(Object.entries(signed.headers).filter(([key]) => key !== name)),
          })),
        ];
        for (const request of altered)
          expect([request, await isAcceptedHere(vendor, request)]).toEqual([request, await isAcceptedBy(vendor, request)]);
      }),
      { numRuns: 100 },
    );
  });
}
