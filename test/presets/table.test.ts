// Every row of the table: its form, and its proof against requests that are signed from the row alone.

import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Handshake, JwtProof, Preset, SignatureProof } from '../../src/presets/preset.ts';
import type { Secret, Verdict } from '../../src/presets/proofs/proof.ts';
import { signatureSecretFault } from '../../src/presets/proofs/signature-proof.ts';
import { signedTextFault } from '../../src/presets/proofs/signed-text.ts';
import { findPreset, listPresets } from '../../src/presets/table.ts';
import { makeAsymmetricSecret, makeSecret, type Signing, signWebhook, type WebhookSecret } from '../support/sign-webhook.ts';
import { verifyWebhook } from '../support/verify-webhook.ts';

const NOW = 1_700_000_000_000;
const PLACE = /^(?:header:[a-z0-9-]+|query:[\w.-]+|body:(?:\w[\w-]*|\*)(?:\.(?:\w[\w-]*|\*))*)$/;
const TERM = /\{(?:hmac-sha256-(?:hex|base64):)?([^{}]+)\}/g;

describe.each(listPresets())('the row of $id', (preset) => {
  const { id, proof, deliveryId, eventType, handshakes, unconfirmed, sources, settings = [] } = preset;

  test('has a plain id and sources on the web', () => {
    expect(id).toMatch(/^[a-z0-9-]+$/);
    expect(findPreset(id)).toBe(preset);
    expect(sources.filter((source) => !URL.canParse(source) || !source.startsWith('https://'))).toEqual([]);
    expect(sources).not.toEqual([]);
  });

  test('names unconfirmed fields that it has', () => {
    expect(unconfirmed.filter((path) => !hasField(preset, path.split('.')))).toEqual([]);
  });

  test('names places and headers as requests have them', () => {
    const places = [deliveryId, eventType, ...(proof.kind === 'equal' ? [proof.place] : []), ...handshakes.flatMap(placesOf)];
    expect(places.filter((place) => place !== null && !PLACE.test(place))).toEqual([]);
    expect(headersOf(preset).filter((name) => !/^[a-z0-9-]+$/.test(name))).toEqual([]);
  });

  test('compares values with settings that it has', () => {
    const compared = handshakes.flatMap(({ compare }) => (compare === undefined ? [] : [compare.setting]));
    expect(settings.filter(({ kind, isRequired }) => kind === 'secret' && isRequired).map(({ name }) => name)).toEqual(compared);
  });
});

test('a handshake that fetches a URL of the request is signed', () => {
  const fetching = listPresets().flatMap(({ handshakes }) => handshakes.filter(({ fetch }) => fetch !== undefined));
  expect(fetching.map(({ kind, isSigned }) => [kind, isSigned])).toEqual([['fetch-url', true]]);
});

const tokenPresets = listPresets().filter((preset): preset is Preset & { proof: JwtProof } => preset.proof.kind === 'jwt');

describe.each(tokenPresets)('the token of $id', ({ proof, secretFrom, settings = [] }) => {
  test('has algorithms that fit its keys', () => {
    expect(proof.algorithms.map((algorithm) => algorithm.startsWith('HS'))).toEqual(proof.algorithms.map(() => proof.jwks === undefined));
    expect(proof.jwks?.startsWith('https://') ?? secretFrom !== 'none').toBe(true);
  });

  test('has claims of settings that the sink has', () => {
    const terms = Object.values(proof.claims).flatMap((value) => (typeof value === 'string' ? (/^\{(.+)\}$/.exec(value)?.[1] ?? []) : []));
    const known = [
      'body-sha256-hex',
      'body-sha256-base64',
      ...settings.flatMap(({ name, isRequired }) => (isRequired ? name : `${name}|url`)),
    ];
    expect(terms.filter((term) => !known.includes(term))).toEqual([]);
  });
});

function hasField(value: unknown, [name, ...rest]: readonly string[]): boolean {
  if (name === undefined) return true;
  return (
    typeof value === 'object' && value !== null && Object.hasOwn(value, name) && hasField((value as Record<string, unknown>)[name], rest)
  );
}

function placesOf({ when, compare, store, fetch, answer }: Handshake): (string | null)[] {
  const templates = [...Object.values(answer.headers ?? {}), answer.text ?? '', ...Object.values(answer.json ?? {}).map(String)];
  const terms = templates.flatMap((template) => [...template.matchAll(TERM)].map(([, place]) => place as string));
  const conditions = Object.keys(when).filter((name) => name !== 'content-type');
  return [...conditions, ...terms, compare?.place ?? null, store ?? null, fetch ?? null];
}

function headersOf({ proof, handshakes }: Preset): string[] {
  const ofProof =
    'header' in proof ? [proof.header, ...(proof.kind === 'signature' ? (proof.aliases ?? []).map(({ header }) => header) : [])] : [];
  return [...ofProof, ...handshakes.flatMap(({ answer }) => Object.keys(answer.headers ?? {}))];
}

const signedPresets = listPresets().filter((preset): preset is Preset & { proof: SignatureProof } => preset.proof.kind === 'signature');

describe.each(signedPresets)('the signature of $id', (preset) => {
  const { proof, deliveryId } = preset;

  test('has a template without faults', () => {
    expect(signedTextFault(proof.signed)).toBeNull();
  });

  test('signs a time that it reads, and an id from a header', () => {
    expect(proof.timestamp === undefined).toBe(proof.toleranceSeconds === undefined);
    if (proof.signed.includes('{timestamp}')) expect(proof.timestamp).toBeDefined();
    if (!proof.signed.includes('{id}')) return;
    const ids = [deliveryId, ...(proof.aliases ?? []).map((alias) => alias.deliveryId)];
    expect(ids.filter((place) => !place?.startsWith('header:'))).toEqual([]);
  });
});

const provenPresets = listPresets().filter(({ proof }) => ['signature', 'equal', 'basic'].includes(proof.kind));

describe.each(provenPresets)('a request of $id', (preset) => {
  const secret = makeSecret(preset);
  const other = makeSecret(preset);
  const secrets = [secretOf(secret)];

  test('is proven by each secret of the sink', async () => {
    const request = signWebhook({ preset, secret, signedAt: NOW });
    expect(await verifyWebhook(preset, secrets, request, NOW)).toEqual({ isProven: true, secret: 0 });
    expect(await verifyWebhook(preset, [secretOf(other), ...secrets], request, NOW)).toEqual({ isProven: true, secret: 1 });
  });

  test('is refused with another secret and with one that has ended', async () => {
    const request = signWebhook({ preset, secret, signedAt: NOW });
    await expectRefusal(verifyWebhook(preset, [secretOf(other)], request, NOW));
    await expectRefusal(verifyWebhook(preset, [secretOf(secret, NOW)], request, NOW));
    await expectRefusal(verifyWebhook(preset, [secretOf(secret, NOW - 1)], request, NOW));
    expect(await verifyWebhook(preset, [secretOf(secret, NOW + 1)], request, NOW)).toEqual({ isProven: true, secret: 0 });
  });

  test.each([
    { name: 'is empty', change: { alter: () => '' } },
    { name: 'is cut by one character', change: { alter: (text: string) => text.replace(/=+$/, '').slice(0, -1) } },
    { name: 'has one more character', change: { alter: (text: string) => `${text.replace(/=+$/, '')}0` } },
    { name: 'is missing', change: { without: true } },
  ] satisfies { name: string; change: Partial<Signing> }[])('is refused if its proof $name', async ({ change }) => {
    await expectRefusal(verifyWebhook(preset, secrets, signWebhook({ preset, secret, signedAt: NOW, ...change }), NOW));
  });
});

describe.each(signedPresets)('a signed request of $id', (preset) => {
  const secret = makeSecret(preset);
  const secrets = [secretOf(secret)];
  const { aliases = [] } = preset.proof;

  test('is refused with a flipped bit in its body', async () => {
    const request = signWebhook({ preset, secret, signedAt: NOW });
    for (const position of [0, Math.floor(request.body.length / 2), request.body.length - 1]) {
      const body = Buffer.from(request.body);
      body.writeUInt8(body.readUInt8(position) ^ 1, position);
      await expectRefusal(verifyWebhook(preset, secrets, { ...request, body }, NOW));
    }
  });

  test.each(aliases.map(({ header }, alias) => ({ header, alias })))('is proven by the header $header', async ({ alias }) => {
    const request = signWebhook({ preset, secret, signedAt: NOW, alias });
    expect(await verifyWebhook(preset, secrets, request, NOW)).toEqual({ isProven: true, secret: 0 });
  });
});

const timedPresets = signedPresets.filter(({ proof }) => proof.timestamp !== undefined);

describe.each(timedPresets)('the time of a request of $id', (preset) => {
  const secret = makeSecret(preset);
  const secrets = [secretOf(secret)];
  const { toleranceSeconds = 0 } = preset.proof;

  test('may be as old or as far ahead as the tolerance', async () => {
    const at = (seconds: number): Promise<Verdict> =>
      verifyWebhook(preset, secrets, signWebhook({ preset, secret, signedAt: NOW + seconds * 1000 }), NOW);
    expect(await at(-toleranceSeconds)).toEqual({ isProven: true, secret: 0 });
    expect(await at(toleranceSeconds)).toEqual({ isProven: true, secret: 0 });
    await expectRefusal(at(-toleranceSeconds - 1), `it was signed ${toleranceSeconds + 1} s ago, and ${toleranceSeconds} s are allowed`);
    await expectRefusal(
      at(toleranceSeconds + 1),
      `${toleranceSeconds + 1} s ahead of this server’s clock, and ${toleranceSeconds} s are allowed`,
    );
  });
});

const presetsWithTwoSchemes = signedPresets.filter(({ proof }) => proof.asymmetric !== undefined);

describe.each(presetsWithTwoSchemes)('a request of $id', (preset) => {
  test('is proven by its second scheme', async () => {
    const { secretPrefix } = preset.proof.asymmetric ?? { secretPrefix: '' };
    const [key, otherKey] = [makeAsymmetricSecret(secretPrefix), makeAsymmetricSecret(secretPrefix)];
    const request = signWebhook({ preset, secret: key, signedAt: NOW });
    expect(await verifyWebhook(preset, [secretOf(makeSecret(preset)), secretOf(key)], request, NOW)).toEqual({ isProven: true, secret: 1 });
    await expectRefusal(verifyWebhook(preset, [secretOf(makeSecret(preset)), secretOf(otherKey)], request, NOW));
  });
});

const presetsWithPem = signedPresets.filter(({ proof }) => proof.key === 'spki');

describe.each(presetsWithPem)('a secret of $id', ({ proof }) => {
  test('is a public key of the type that signs', () => {
    const types = {
      ec: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
      rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
      ed25519: generateKeyPairSync('ed25519'),
    };
    const type = proof.algorithm === 'rsa-sha256' ? 'rsa' : 'ec';
    const faults = Object.entries(types).map(([name, { publicKey }]) => [
      name,
      signatureSecretFault(proof, publicKey.export({ type: 'spki', format: 'pem' }).toString()),
    ]);
    const fault = `must be a public key of type ${type}`;
    expect(Object.fromEntries(faults)).toEqual({ ec: fault, rsa: fault, ed25519: fault, [type]: null });
  });
});

test('every notification of Microsoft Graph must have the secret', async () => {
  const preset = findPreset('microsoft-graph') as Preset;
  const secret = makeSecret(preset);
  const request = { ...signWebhook({ preset, secret, signedAt: NOW }), body: Buffer.from('{"value":[]}') };
  await expectRefusal(verifyWebhook(preset, [secretOf(secret)], request, NOW));
});

function secretOf({ value }: WebhookSecret, endsAt: number | null = null): Secret {
  return { value, endsAt };
}

async function expectRefusal(verdict: Promise<Verdict>, reason = ''): Promise<void> {
  expect(await verdict).toEqual({ isProven: false, kind: expect.any(String), reason: expect.stringContaining(reason) });
}
