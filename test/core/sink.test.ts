// Sink definitions: what may be saved, what is refused and how it is put.

import { describe, expect, test } from 'vitest';
import { appIdFault } from '../../src/core/app.ts';
import { DEFAULT_LIMITS } from '../../src/core/sink/limits/size-limits.ts';
import { parseSink } from '../../src/core/sink/sink.ts';

const hook = { path: '/hook', method: 'POST' };

function faults(document: unknown, appId: string | undefined = 'shop'): string[] {
  return parseSink(document, appId).faults.map(({ path, message }) => `${path}: ${message}`);
}

describe('a definition that may be saved', () => {
  test('needs a path and a method alone, and says nothing of credentials then', () => {
    expect(parseSink(hook, 'shop').sink).toEqual({
      appId: 'shop',
      path: '/hook',
      method: 'POST',
      auth: null,
      workflowId: null,
      inputs: {},
      response: { mode: 'stream' },
      limits: DEFAULT_LIMITS,
      body: 'auto',
      payload: null,
      publicUrl: null,
    });
  });

  const same: [string, object, object][] = [
    ['a method in any case', { method: 'post' }, { method: 'POST' }],
    ['any method', { method: 'any' }, { method: 'ANY' }],
    ['a trailing slash, which makes no difference', { path: '/hook/' }, { path: '/hook' }],
    ['no platform', { payload: null }, {}],
    ['no token', { auth_token: null }, { auth: { type: 'none' } }],
    ['a token', { auth_token: 't' }, { auth: { type: 'bearer', tokens: [{ name: null, endsAt: null, token: 't' }] } }],
    [
      'tokens in the long form',
      { auth: { type: 'bearer', tokens: ['a', 'b'] } },
      { auth: { type: 'bearer', tokens: ['a', 'b'].map((token) => ({ name: null, endsAt: null, token })) } },
    ],
    [
      'hashes of tokens',
      { auth: { type: 'bearer', token_hashes: ['a'.repeat(64)] } },
      { auth: { type: 'bearer', tokens: [{ name: null, endsAt: null, hash: 'a'.repeat(64) }] } },
    ],
    [
      'a token with a name and an end',
      { auth: { type: 'bearer', tokens: [{ name: 'ci', token: 'a', ends_at: '2027-01-31T12:00:00Z' }] } },
      { auth: { type: 'bearer', tokens: [{ name: 'ci', endsAt: Date.UTC(2027, 0, 31, 12), token: 'a' }] } },
    ],
    [
      'a provider with its secret',
      { auth: { type: 'github', secrets: ['s'] } },
      { auth: { type: 'scheme', scheme: 'github', secrets: [{ name: null, endsAt: null, value: 's' }], settings: {} } },
    ],
    ['openness in the long form', { auth: { type: 'none' } }, { auth: { type: 'none' } }],
    ['a workflow', { workflow_id: 'w' }, { workflowId: 'w' }],
    ['a mapping', { inputs: { user: '$request.query.user' } }, { inputs: { user: '$request.query.user' } }],
    ['some limits', { limits: { files: 1 } }, { limits: { ...DEFAULT_LIMITS, files: 1 } }],
    ['how bodies are read', { body: 'json' }, { body: 'json' }],
    ['the field of a form that holds the body', { body: { form_field: 'payload' } }, { body: { formField: 'payload' } }],
    ['nested names of a form', { body: { form: 'nested' } }, { body: { form: 'nested' } }],
    ['a form', { response: 'form' }, { response: { mode: 'form', success: null, fault: null, pages: [] } }],
    [
      'a form with pages',
      { response: { mode: 'form', success: '/danke schön', fault: 'https://example.org/no', pages: ['https://EXAMPLE.org'] } },
      { response: { mode: 'form', success: '/danke%20sch%C3%B6n', fault: 'https://example.org/no', pages: ['https://example.org/'] } },
    ],
    [
      'origins of scripts',
      { cors: { origins: ['https://example.org'] } },
      { cors: { origins: ['https://example.org'], maxAgeSeconds: 600 } },
    ],
    [
      'spam guards',
      { response: 'form', spam: { honeypot: 'website', min_seconds: 3, captcha: { provider: 'turnstile', secret: 's' } } },
      {
        spam: {
          honeypot: 'website',
          minSeconds: 3,
          token: 'optional',
          captcha: { provider: 'turnstile', secret: 's', minScore: null, verifyUrl: null },
        },
      },
    ],
    ['the default beside a platform', { body: 'auto', payload: 'v7' }, { body: 'auto', payload: 'v7' }],
    ['the app of the URL', { app_id: 'shop' }, { appId: 'shop' }],
  ];
  for (const [what, given, read] of same) {
    test(`may hold ${what}`, () => {
      expect(parseSink({ ...hook, ...given }, 'shop').sink).toMatchObject(read);
    });
  }
});

describe('a definition that is refused', () => {
  const bad: [string, object, string][] = [
    [
      'an unknown field',
      { auth_tokn: 'x' },
      ': unknown field "auth_tokn"; did you mean "auth_token"? Known are app_id, path, method, auth_token',
    ],
    ['another app than the URL', { app_id: 'other' }, 'app_id: must be "shop", the app that the URL names'],
    [
      'a way to read bodies that is none',
      { body: 'xml' },
      'body: must be one of "auto", "json", "form", "text", "raw", { "form": "nested" }, or { "form_field": "…" }',
    ],
    ['a way to read bodies that is a list', { body: ['json'] }, 'body: must be one of "auto"'],
    ['an unknown field of it', { body: { form_field: 'a', as: 'json' } }, 'body: unknown field "as"; known are form_field'],
    ['a field without a name', { body: { form_field: '' } }, 'body.form_field: must NOT have fewer than 1 characters'],
    [
      'a way to read what a platform sends',
      { body: 'json', payload: 'v7' },
      'body: cannot stand beside payload: what v7 sends is read as it sends it',
    ],
    ['a path without a slash', { path: 'hook' }, 'path: must start with "/"'],
    ['a method that is none', { method: 'HEAD' }, 'method: must be one of "GET"'],
    ['a token with a space', { auth_token: 'Bearer x' }, 'auth_token: must be 1 to 1024 visible ASCII characters without spaces'],
    ['an empty token', { auth_token: '' }, 'auth_token: must be 1 to 1024'],
    ['a token that is a number', { auth_token: 5 }, 'auth_token: must be string,null'],
    ['a token in both forms', { auth_token: 'x', auth: { type: 'bearer', tokens: ['x'] } }, 'auth: cannot stand beside auth_token'],
    ['an unknown scheme', { auth: { type: 'githb', secrets: ['s'] } }, 'auth.type: "githb" is not known; did you mean "github"?'],
    ['a provider without a secret', { auth: { type: 'github' } }, 'auth: field "secrets" is missing'],
    ['a provider with a token', { auth: { type: 'github', tokens: ['x'] } }, 'auth: type "github" takes "secrets" instead of tokens'],
    ['an empty secret', { auth: { type: 'github', secrets: [''] } }, 'auth.secrets[0]: must NOT have fewer than 1 characters'],
    ['a secret without a value', { auth: { type: 'github', secrets: [{ name: 'a' }] } }, 'auth.secrets[0]: must have "value" or "sealed"'],
    [
      'two secrets of one name',
      {
        auth: {
          type: 'github',
          secrets: [
            { name: 'a', value: '1' },
            { name: 'a', value: '2' },
          ],
        },
      },
      'auth.secrets[1].name: "a" is the name of another one',
    ],
    [
      'an end that is no time',
      { auth: { type: 'github', secrets: [{ value: '1', ends_at: 'tomorrow' }] } },
      'auth.secrets[0].ends_at: "tomorrow" is not a time',
    ],
    [
      'an unknown setting of a scheme',
      { auth: { type: 'hmac', secrets: ['s'], heder: 'x' } },
      'auth: unknown field "heder" for type "hmac"; did you mean "header"?',
    ],
    ['a scheme without its setting', { auth: { type: 'hmac', secrets: ['s'] } }, 'auth.header: is missing: the header with the signature'],
    [
      'a time that is not signed',
      { auth: { type: 'hmac', secrets: ['s'], header: 'x-sig', timestamp: 'x-time' } },
      'auth.timestamp: must be signed: "signed" has no {timestamp}',
    ],
    [
      'a template without the body',
      { auth: { type: 'hmac', secrets: ['s'], header: 'x-sig', signed: '{url}' } },
      'auth.signed: must contain {body} once',
    ],
    ['a header that is none', { auth: { type: 'api_key', secrets: ['s'], header: 'a b' } }, 'auth.header: must be the name of a header'],
    [
      'two places of a key',
      { auth: { type: 'api_key', secrets: ['s'], header: 'a', query: 'b' } },
      'auth.header: write one of "header" and "query"',
    ],
    ['a user without a password', { auth: { type: 'basic', secrets: ['ada'] } }, 'auth.secrets[0]: must be "user:password"'],
    ['two names of a message', { idempotency: { header: 'a', body: 'b' } }, 'idempotency: must have one of "header" and "body"'],
    ['hours beyond a month', { idempotency: { keep_hours: 721 } }, 'idempotency.keep_hours: must be <= 720'],
    ['a scheme without tokens', { auth: { type: 'bearer' } }, 'auth: field "tokens" is missing'],
    ['an empty list of tokens', { auth: { type: 'bearer', tokens: [] } }, 'auth.tokens: must NOT have fewer than 1 items'],
    ['tokens that open nothing', { auth: { type: 'none', tokens: ['x'] } }, 'auth: type "none" takes no tokens'],
    [
      'a hash that is none',
      { auth: { type: 'bearer', token_hashes: ['ABC'] } },
      'auth.token_hashes[0]: must be the lower-case hex SHA-256',
    ],
    [
      'an unknown field of auth',
      { auth: { type: 'bearer', token: 'x' } },
      'auth: unknown field "token"; did you mean "tokens" or "token_hashes"? Known are type, tokens, token_hashes',
    ],
    ['a mapping that is a literal', { inputs: { a: 'x' } }, 'inputs.a: "x" must be a selector of the request, as "$request.query.user"'],
    ['a mapping of something else', { inputs: { a: '$inputs.b' } }, 'inputs.a: "$inputs.b" must be a selector of the request'],
    ['a form that is read', { method: 'GET', response: 'form' }, 'method: must be POST beside response "form"'],
    ['a form of a platform', { payload: 'v7', response: 'form' }, 'payload: cannot stand beside response "form"'],
    ['a form that is a file', { body: 'raw', response: 'form' }, 'body: must be "auto", "form", "json"'],
    ['a form in a field', { body: { form_field: 'a' }, response: 'form' }, 'body: must be "auto", "form", "json"'],
    ['a form of a provider', { auth: { type: 'github', secrets: ['s'] }, response: 'form' }, 'response: cannot be "form": github'],
    ['a form that is split', { split: '$request.body.a', response: 'form' }, 'response: cannot be "form" beside split'],
    ['a page of a host alone', { response: { mode: 'form', success: '//evil.example' } }, 'response.success: must be a path'],
    ['a page of a redirect', { response: { mode: 'redirect', location: '/', success: '/a' } }, 'response.success: does not belong'],
    ...[
      '/thanks',
      'ftp://a.example/',
      'https://',
      'https://u:p@a.example/',
      'https://a.example/?q',
      'https://a.example\\b',
      'https://a.example/#',
    ].map((page): [string, object, string] => [
      `the allowed page ${page}`,
      { response: { mode: 'form', pages: [page] } },
      'response.pages[0]: must be an http(s) URL without user, query and fragment',
    ]),
    ['spam guards of another answer', { response: 'accept', spam: { honeypot: 'a' } }, 'spam: needs response "form"'],
    ['no guard', { response: 'form', spam: {} }, 'spam: must NOT have fewer than 1 properties'],
    ['a trap of the sink itself', { response: 'form', spam: { honeypot: '_next' } }, 'spam.honeypot: cannot be "_next"'],
    ['a trap without a name', { response: 'form', spam: { honeypot: 'a[b]' } }, 'spam.honeypot: must be a field name'],
    [
      'a captcha without a secret',
      { response: 'form', spam: { captcha: { provider: 'hcaptcha' } } },
      'spam.captcha: field "secret" is missing',
    ],
    [
      'a score of a provider that gives none',
      { response: 'form', spam: { captcha: { provider: 'turnstile', secret: 's', min_score: 0.5 } } },
      'spam.captcha.min_score: does not belong to turnstile',
    ],
    [
      'a captcha that is verified nowhere',
      { response: 'form', spam: { captcha: { provider: 'turnstile', secret: 's', verify_url: 'https://u@a.example/' } } },
      'spam.captcha.verify_url: must be an http(s) URL without user',
    ],
    ['an origin with a path', { cors: { origins: ['https://example.org/'] } }, 'is not an origin; write "https://example.org"'],
    ['an origin in upper case', { cors: { origins: ['https://Example.org'] } }, 'is not an origin; write "https://example.org"'],
    ['an origin that is none', { cors: { origins: ['null'] } }, 'cors.origins[0]: "null" is not an origin; write scheme and host'],
    ['all origins beside one', { cors: { origins: ['*', 'https://example.org'] } }, 'cors.origins[0]: "*" allows all origins'],
    ['no origin', { cors: { origins: [] } }, 'cors.origins: must NOT have fewer than 1 items'],
    ['an unknown limit', { limits: { body: 5 } }, 'limits: unknown field "body"; did you mean "body_bytes"? Known are body_bytes'],
    ['a limit that is text', { limits: { body_bytes: '10MB' } }, 'limits.body_bytes: must be integer'],
    ['a negative limit', { limits: { files: -1 } }, 'limits.files: must be >= 0'],
    ['a limit beyond what the server holds', { limits: { body_bytes: 2 ** 31 } }, 'limits.body_bytes: must be <= 1073741824'],
  ];
  for (const [what, given, expected] of bad) {
    test(`holds ${what}`, () => {
      const found = faults({ ...hook, ...given });
      expect(
        found.some((fault) => fault.includes(expected)),
        found.join('\n'),
      ).toBe(true);
    });
  }

  test('is no object at all', () => {
    for (const document of [null, 5, 'x', [], [hook]]) expect(faults(document).length).toBeGreaterThan(0);
  });

  test('names no app where the URL names none', () => {
    expect(faults(hook, undefined)).toEqual([]);
    expect(parseSink(hook).faults).toEqual([{ path: '', message: 'field "app_id" is missing' }]);
    expect(parseSink({ ...hook, app_id: 'shop' }).sink?.appId).toBe('shop');
  });
});

describe('app ids', () => {
  for (const id of ['a', 'app_abc123', 'My-App', '0', 'x'.repeat(64)])
    test(`"${id}" may name an app`, () => {
      expect(appIdFault(id)).toBeNull();
    });
  for (const id of ['', '-a', '_a', 'a/b', 'a.b', 'a b', '..', 'caf\u00e9', 'x'.repeat(65), 5, null, undefined])
    test(`${JSON.stringify(id)} may not name an app`, () => {
      expect(appIdFault(id)).toContain('must be 1 to 64');
    });
  for (const id of ['api', 'sink', 'runs', 'console', 'healthz', 'readyz', 'metrics', 'docs'])
    test(`"${id}" is kept for the server itself`, () => {
      expect(appIdFault(id)).toContain('reserved');
    });
});
