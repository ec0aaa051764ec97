// JSON Web Tokens: the providers that send them, the scheme of the operator, and forged tokens.

import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { schemeFaults } from '../../src/core/sink/auth/scheme-auth.ts';
import type { Secret } from '../../src/presets/proofs/proof.ts';
import { Unreachable } from '../../src/presets/remote/fetch-text.ts';
import type { SettingValues } from '../../src/presets/scheme.ts';
import { makeVerifier, verifyWith } from '../support/verify-webhook.ts';
import { publish } from './sender-certificate.ts';
import { CURVE, ED25519, keySetOf, makeToken, OTHER_RSA, pemOf, RSA } from './signed-token.ts';

const NOW = 1_700_000_000_000;
const SECONDS = NOW / 1000;
const URL_SENT = 'https://hooks.example.org/in?a=1';
const BODY = '{"a":"Grüße"}';
const KEY = 'a secret of the sink';
const KEYS_URL = 'https://www.googleapis.com/oauth2/v3/certs';

interface Verifying {
  secrets?: string[];
  settings?: SettingValues;
  headers: Record<string, string>;
  body?: string;
  keySet?: string | Error;
}

function verify(scheme: string, { secrets = [KEY], settings = {}, headers, body = BODY, keySet = keySetOf({ k1: RSA }) }: Verifying) {
  const { fetchText } = publish({ [KEYS_URL]: keySet });
  const verifier = makeVerifier(scheme, { secrets: secrets.map((value): Secret => ({ value, endsAt: null })), settings, fetchText });
  return verifyWith(verifier, { method: 'POST', url: URL_SENT, headers, query: {}, body: Buffer.from(body) }, NOW);
}

const refused = (reason: string) => ({ isProven: false, kind: expect.any(String), reason: expect.stringContaining(reason) });
const hashOf = (body: string, encoding: 'hex' | 'base64'): string => createHash('sha256').update(body).digest(encoding);

describe('Netlify', () => {
  const claims = { iss: 'netlify', sha256: hashOf(BODY, 'hex') };
  const send = (token: string, more: Partial<Verifying> = {}) => verify('netlify', { headers: { 'x-webhook-signature': token }, ...more });

  test('binds its token to the body, and needs no end', async () => {
    expect(await send(makeToken(claims, KEY))).toEqual({
      isProven: true,
      secret: 0,
      signed: { name: hashOf(BODY, 'hex'), coversBody: true },
    });
    expect(await send(makeToken(claims, KEY), { secrets: ['other', KEY] })).toMatchObject({ secret: 1 });
    expect(await send(makeToken(claims, KEY), { body: `${BODY} ` })).toEqual(refused('its claim sha256 is not the hash of the body'));
    expect(await send(makeToken({ iss: 'netlify' }, KEY))).toEqual(refused('its claim sha256 is not the hash of the body'));
    expect(await send(makeToken({ ...claims, iss: 'other' }, KEY))).toEqual(refused('its claim iss is missing or not the one'));
  });
});

describe('LiveKit', () => {
  test('binds its token to the body', async () => {
    const claims = { iss: 'key-1', exp: SECONDS + 60, sha256: hashOf(BODY, 'base64') };
    expect(await verify('livekit', { headers: { authorization: makeToken(claims, KEY) } })).toMatchObject({ isProven: true });
    expect(await verify('livekit', { headers: { authorization: makeToken(claims, KEY) }, body: '{}' })).toEqual(refused('sha256'));
  });
});

describe('monday.com', () => {
  const send = (claims: object, settings: SettingValues = {}) =>
    verify('monday', { headers: { authorization: makeToken({ exp: SECONDS + 60, ...claims }, KEY) }, settings });

  test('names the URL of the sink, with or without its query, or the audience of the sink', async () => {
    expect(await send({ aud: URL_SENT })).toEqual({ isProven: true, secret: 0 });
    expect(await send({ aud: 'https://hooks.example.org/in' })).toMatchObject({ isProven: true });
    expect(await send({ aud: 'https://hooks.example.org/' })).toEqual(refused('its claim aud is missing or not the one'));
    expect(await send({ aud: 'https://other.example/' }, { audience: 'https://other.example/' })).toMatchObject({ isProven: true });
    expect(await send({ aud: URL_SENT }, { audience: 'https://other.example/' })).toEqual(refused('its claim aud'));
    expect(await send({})).toEqual(refused('its claim aud'));
  });

  test('has an end', async () => {
    expect(await send({ aud: URL_SENT, exp: undefined })).toEqual(refused('its claim exp is missing or not valid now'));
    const headers = { authorization: makeToken({ aud: URL_SENT, exp: SECONDS - 61 }, KEY) };
    expect(await verify('monday', { headers, secrets: [KEY, 'newer'] })).toEqual(refused('it has expired'));
    expect(await verify('monday', { headers, secrets: [] })).toEqual(refused('its signature does not match'));
  });
});

describe('Google Pub/Sub', () => {
  const settings = { service_account: 'push@project.iam.gserviceaccount.com' };
  const claims = {
    iss: 'https://accounts.google.com',
    aud: URL_SENT,
    email: settings.service_account,
    email_verified: true,
    iat: SECONDS,
    exp: SECONDS + 3600,
  };
  const rs256 = { alg: 'RS256', kid: 'k1' };
  const token = (changed: object = {}): string => makeToken({ ...claims, ...changed }, RSA.privateKey, rs256);
  const send = (text: string, more: Partial<Verifying> = {}) =>
    verify('google-pubsub', { secrets: [], settings, headers: { authorization: `Bearer ${text}` }, ...more });

  test('is proven by the keys that Google publishes', async () => {
    expect(await send(token())).toEqual({ isProven: true, secret: 0 });
    expect(await send(token({ iss: 'accounts.google.com' }))).toMatchObject({ isProven: true });
    expect(await send('', { headers: { authorization: `bearer  ${token()}` } })).toMatchObject({ isProven: true });
  });

  const wrong: [string, object, string][] = [
    ['of another service account', { email: 'push@other.iam.gserviceaccount.com' }, 'its claim email is missing'],
    ['of an address that was not verified', { email_verified: false }, 'its claim email_verified'],
    ['whose address says that it was verified', { email_verified: 'true' }, 'its claim email_verified'],
    ['of another issuer', { iss: 'https://evil.example' }, 'its claim iss'],
    ['for another audience', { aud: 'https://other.example' }, 'its claim aud'],
    ['without an end', { exp: undefined }, 'its claim exp is missing'],
    ['with an end that is no number', { exp: 'tomorrow' }, 'its claim exp is missing or not valid'],
    ['that has expired', { exp: SECONDS - 61 }, 'it has expired'],
    ['that is not valid yet', { nbf: SECONDS + 61 }, 'its claim nbf is missing or not valid now'],
  ];
  for (const [what, changed, reason] of wrong) {
    test(`is refused with a token ${what}`, async () => {
      expect(await send(token(changed))).toEqual(refused(reason));
    });
  }

  test('may have expired a minute ago, and may begin in a minute', async () => {
    expect(await send(token({ exp: SECONDS - 59, nbf: SECONDS + 60 }))).toMatchObject({ isProven: true });
  });

  const forged: [string, string, string][] = [
    ['that is signed by another key', makeToken(claims, OTHER_RSA.privateKey, rs256), 'its signature does not match'],
    ['that is not signed', makeToken(claims, '', { alg: 'none' }), 'has no JSON Web Token'],
    ['of algorithm none with a signature', `${makeToken(claims, '', { alg: 'none', kid: 'k1' })}AAAA`, 'its algorithm is not allowed'],
    ['whose secret is the public key', makeToken(claims, pemOf(RSA), { alg: 'HS256', kid: 'k1' }), 'its algorithm is not allowed'],
    ['that says RS256 and is an HMAC', makeToken(claims, pemOf(RSA), { ...rs256, signedAs: 'HS256' }), 'its signature does not match'],
    [
      'of another algorithm of the same key',
      makeToken(claims, RSA.privateKey, { alg: 'RS512', kid: 'k1' }),
      'its algorithm is not allowed',
    ],
    ['of a key that is not published', makeToken(claims, OTHER_RSA.privateKey, { alg: 'RS256', kid: 'k9' }), 'publishes no key of its kid'],
    ['with other claims', token().replace(/\.[^.]+\./, `.${Buffer.from('{"exp":9999999999}').toString('base64url')}.`), 'does not match'],
    ['with claims that are no JSON', token().replace(/\.[^.]+\./, '.AAAA.'), 'the token is refused'],
    ['with a head that is no JSON', token().replace(/^[^.]+/, 'AAAA'), 'it is malformed'],
    ['of five parts', 'a.b.c.d.e', 'has no JSON Web Token'],
    ['of two parts', 'a.b', 'has no JSON Web Token'],
    ['that is empty', '', 'has no JSON Web Token'],
    ['that is too long', `a.${'b'.repeat(9000)}.c`, 'has no JSON Web Token'],
    ['that is no base64url', 'a!.b.c', 'has no JSON Web Token'],
  ];
  for (const [what, text, reason] of forged) {
    test(`is refused with a token ${what}`, async () => {
      expect(await send(text)).toEqual(refused(reason));
    });
  }

  test('is refused on its head without a token', async () => {
    expect(await send('', { headers: {} })).toEqual(refused('the token is missing: header authorization'));
    expect(await send('', { headers: { authorization: `Basic ${token()}` } })).toEqual(refused('has no JSON Web Token'));
  });

  test('is neither proven nor refused while the keys cannot be fetched', async () => {
    await expect(send(token(), { keySet: new Error('ECONNREFUSED: refused') })).rejects.toThrow(Unreachable);
    for (const keySet of ['<html>', '{}', '{"keys":1}', '[]'])
      await expect(send(token(), { keySet })).rejects.toThrow('no JSON Web Key Set');
  });

  test('fetches the keys again for a new kid, once a minute at most', async () => {
    const published: Record<string, string> = { [KEYS_URL]: keySetOf({ k1: RSA }) };
    const { fetched, fetchText } = publish(published);
    const verifier = makeVerifier('google-pubsub', { settings, fetchText });
    const sendAt = (kid: string, now: number) => {
      const text = makeToken(claims, OTHER_RSA.privateKey, { alg: 'RS256', kid });
      const request = { method: 'POST', url: URL_SENT, headers: { authorization: `Bearer ${text}` }, query: {}, body: Buffer.from('') };
      return verifyWith(verifier, request, now);
    };
    expect(await sendAt('k2', NOW)).toEqual(refused('publishes no key of its kid'));
    published[KEYS_URL] = keySetOf({ k1: RSA, k2: OTHER_RSA });
    expect(await sendAt('k2', NOW + 60_000)).toEqual(refused('publishes no key of its kid'));
    expect(fetched.length).toBe(1);
    expect(await sendAt('k2', NOW + 60_001)).toMatchObject({ isProven: true });
    expect(await sendAt('k3', NOW + 60_002)).toEqual(refused('publishes no key of its kid'));
    expect(fetched.length).toBe(2);
  });
});

describe('the scheme of the operator', () => {
  const claims = { exp: SECONDS + 60, iss: 'ci', aud: ['sluice', 'other'], repository: 'shop' };
  const settings = { algorithms: ['HS256', 'HS512'], issuer: 'ci', audience: 'sluice', claims: ['repository=shop'] };
  const send = (token: string, more: Partial<Verifying> = {}) =>
    verify('jwt', { settings, headers: { authorization: `Bearer ${token}` }, ...more });

  test('takes the algorithms, the claims and the header of the sink', async () => {
    expect(await send(makeToken(claims, KEY))).toEqual({ isProven: true, secret: 0 });
    expect(await send(makeToken(claims, KEY, { alg: 'HS512' }))).toMatchObject({ isProven: true });
    expect(await send(makeToken(claims, KEY, { alg: 'HS384' }))).toEqual(refused('its algorithm is not allowed'));
    expect(await send(makeToken({ ...claims, aud: 'other' }, KEY))).toEqual(refused('its claim aud'));
    expect(await send(makeToken({ ...claims, iss: 'x' }, KEY))).toEqual(refused('its claim iss'));
    expect(await send(makeToken({ ...claims, repository: 'x' }, KEY))).toEqual(refused('its claim repository'));
    const headers = { 'x-token': makeToken(claims, KEY) };
    expect(await send('', { headers, settings: { ...settings, header: 'X-Token' } })).toMatchObject({ isProven: true });
  });

  test('takes a claim as text, also one that looks like a term', async () => {
    const literal = { ...settings, claims: ['x={url}', '__proto__=y'] };
    expect(await send(makeToken({ ...claims, x: URL_SENT }, KEY), { settings: literal })).toEqual(refused('its claim x'));
  });

  for (const [alg, pair] of Object.entries({ RS256: RSA, ES256: CURVE, EdDSA: ED25519 })) {
    test(`takes a public key of ${alg} as a secret`, async () => {
      const token = makeToken(claims, pair.privateKey, { alg });
      const more = { secrets: [pemOf(pair)], settings: { ...settings, algorithms: [alg] } };
      expect(await send(token, more)).toMatchObject({ isProven: true });
      expect(await send(makeToken(claims, pemOf(pair), { alg: 'HS256' }), more)).toEqual(refused('its algorithm is not allowed'));
    });
  }

  test('takes the keys of a URL', async () => {
    const more = { secrets: [], settings: { ...settings, algorithms: ['ES256'], jwks_url: KEYS_URL }, keySet: keySetOf({ k1: CURVE }) };
    expect(await send(makeToken(claims, CURVE.privateKey, { alg: 'ES256', kid: 'k1' }), more)).toMatchObject({ isProven: true });
    expect(await send(makeToken(claims, RSA.privateKey, { alg: 'RS256', kid: 'k1' }), more)).toEqual(
      refused('its algorithm is not allowed'),
    );
  });

  const faults: [string, object, string, string][] = [
    ['no algorithm', { secrets: ['k'] }, 'auth.algorithms', 'is missing'],
    ['an algorithm that is not known', { secrets: ['k'], algorithms: ['none'] }, 'auth.algorithms', 'must be of HS256'],
    ['algorithms of both kinds', { secrets: ['k'], algorithms: ['HS256', 'RS256'] }, 'auth.algorithms', 'must be all of shared secrets'],
    ['neither secrets nor a URL', { algorithms: ['RS256'] }, 'auth', 'field "secrets" is missing'],
    ['secrets and a URL', { secrets: ['k'], algorithms: ['RS256'], jwks_url: KEYS_URL, audience: 'a' }, 'auth.secrets', 'does not belong'],
    ['a URL for shared secrets', { algorithms: ['HS256'], jwks_url: KEYS_URL, audience: 'a' }, 'auth.jwks_url', 'publishes public keys'],
    ['a URL of http', { algorithms: ['RS256'], jwks_url: 'http://x/', audience: 'a' }, 'auth.jwks_url', 'must be an https URL'],
    ['a URL without an audience', { algorithms: ['RS256'], jwks_url: KEYS_URL }, 'auth.audience', 'is missing'],
    ['a claim without a value', { secrets: ['k'], algorithms: ['HS256'], claims: ['a='] }, 'auth.claims', 'must be texts as "name=value"'],
    ['a secret that is no public key', { secrets: ['k'], algorithms: ['RS256'] }, 'auth.secrets[0]', 'must be a public key: PEM'],
    ['a key of another type', { secrets: [pemOf(CURVE)], algorithms: ['RS256'] }, 'auth.secrets[0]', 'must be a public key of type rsa'],
  ];
  for (const [what, auth, path, message] of faults) {
    test(`is refused with ${what}`, () => {
      expect(schemeFaults({ type: 'jwt', ...auth })).toEqual([{ path, message: expect.stringContaining(message) }]);
    });
  }
});
