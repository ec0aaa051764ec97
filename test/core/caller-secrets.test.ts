// Which names of headers and of the query are those of secrets, which are signatures, and what is kept of both.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  echoedHeaders,
  hideSecretPairs,
  isSecretHeader,
  isSecretParameter,
  keptHeaders,
  keptQuery,
} from '../../src/core/secrets/caller-secrets.ts';

const SECRETS =
  `authorization proxy-authorization cookie x-gitlab-token x-telegram-bot-api-secret-token x-api-key x-auth-token cf-webhook-auth
x-goog-channel-token api-key apikey x-apikey x-webhook-secret x-hook-secret x-hasura-admin-secret x-vault-token private-token
x-shopify-access-token ocp-apim-subscription-key x-functions-key x-goog-api-key x-rapidapi-key x-rapidapi-proxy-secret
x-amz-security-token x-amzn-oidc-accesstoken x-amzn-oidc-data cf-access-jwt-assertion verification-token validation-token
x-csrf-token x-signature-token x-authorization x-license-key dd-api-key php-auth-pw x-access-key x-auth-key x-token2`.split(/\s+/);
const SIGNATURES = `x-hub-signature x-hub-signature-256 stripe-signature x-shopify-hmac-sha256 x-square-hmacsha256-signature close-sig-hash
paypal-transmission-sig x-airtable-content-mac plaid-verification x-token-signature digest content-digest webhook-signature svix-signature
x-signature-ed25519 x-trello-webhook x-spark-signature`.split(/\s+/);
const OTHERS = `idempotency-key i-twilio-idempotency-token x-event-key sec-websocket-key webhook-id x-github-delivery x-github-event host
user-agent x-okta-verification-challenge x-author keyboard x-monkey x-partition-key content-type x-forwarded-for traceparent
paypal-auth-algo stripe-account`.split(/\s+/);

describe('a header', () => {
  test.each(SECRETS)('%s is a secret', (name) => expect(isSecretHeader(name)).toBe(true));
  test.each([...SIGNATURES, ...OTHERS])('%s is none', (name) => expect(isSecretHeader(name)).toBe(false));
});

describe('a parameter of the query', () => {
  test.each([
    'token',
    'api_key',
    'apikey',
    'apiKey',
    'access_token',
    'accessToken',
    'hub.verify_token',
    'validationToken',
    'client_secret',
  ])('%s is a secret', (name) => expect(isSecretParameter(name)).toBe(true));
  test.each(['password', 'auth', 'authToken', 'X-Amz-Security-Token', 'jwt', 'API_KEY', 'TOKEN'])('%s is a secret', (name) =>
    expect(isSecretParameter(name)).toBe(true),
  );
  test.each(['hub.challenge', 'signature', 'sig', 'msgSignature', 'page_token', 'nextToken', 'key', 'code', 'max_tokens', 'state'])(
    '%s is none',
    (name) => expect(isSecretParameter(name)).toBe(false),
  );
});

describe('what is kept', () => {
  test('of headers: all but secrets, a header that came twice as one, and addresses without the secrets in them', () => {
    const headers = JSON.parse(
      '{"host":"x","x-api-key":"k","x-two":["a","b"],"stripe-signature":"s","referer":"/p?q=1&token=t","__proto__":"y"}',
    ) as Record<string, string | string[]>;
    expect(keptHeaders(headers)).toEqual({ host: 'x', 'x-two': 'a, b', 'stripe-signature': 's', referer: '/p?q=1&token=********' });
  });

  test('of headers without a secret: the same object, for copying it would cost every request', () => {
    const headers = { host: 'x', accept: '*/*', 'x-github-event': 'push', 'x-hub-signature-256': 's' };
    expect(keptHeaders(headers)).toBe(headers);
    const query = { a: '1', 'hub.challenge': '2' };
    expect(keptQuery(query)).toBe(query);
  });

  test('for the answer to the caller: the secrets of providers too, and none of HTTP itself', () => {
    expect(echoedHeaders({ 'x-hook-secret': 's', authorization: 'a', cookie: 'c', 'proxy-authorization': 'p', host: 'h' })).toEqual({
      'x-hook-secret': 's',
      host: 'h',
    });
  });
});

describe('an address', () => {
  test.each([
    ['/a?token=1', '/a?token=********'],
    ['/a?x=1&token=1&y=2', '/a?x=1&token=********&y=2'],
    ['/a;token=1/b', '/a;token=********'],
    ['/a#access_token=1&state=2', '/a#access_token=********&state=2'],
    ['/a%3Ftoken%3D1%26x=2', '/a%3Ftoken%3D********%26x=2'],
    ['/a?api%5Fkey=1', '/a?api%5Fkey=********'],
    ['no sink found for GET /a?token=1 2', 'no sink found for GET /a?token=******** 2'],
    ['/a?x=?token=1&y=2', '/a?x=?token=********&y=2'],
    ['/a?token=1?x=2&y=3', '/a?token=********&y=3'],
    ['/a?%ff=1&%=2&=3&&token', '/a?%ff=1&%=2&=3&&token'],
  ])('%s is shown as %s', (given, shown) => expect(hideSecretPairs(given)).toBe(shown));

  test('of any text is found in a moment, and never shows the value of a token', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 30 }), fc.stringMatching(/^[a-z]{12}$/), (before, secret) => {
        expect(hideSecretPairs(`${before}?token=${secret}`)).not.toContain(secret);
      }),
    );
    for (const hostile of ['?', '?a', '?token', '?token=', '?a=', '%3f', '?%61'].map((part) => part.repeat(50_000)))
      hideSecretPairs(hostile);
  });
});
