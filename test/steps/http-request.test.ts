// sluice/http_request@v1: the faults of its definitions. Sending is tested in http-request-sending.slow.test.ts.

import { expect, test } from 'vitest';
import { httpRequest } from '../../src/steps/sluice/http-request.ts';
import { faultsOf } from './roboflow/step-context.ts';

test.each<[object, string]>([
  [{}, ': field "url" is missing'],
  [{ url: 'ftp://example.org/' }, 'url: must be a URL, such as "https://example.org/hook?item=1", or a selector of one'],
  [{ url: 'https://example.org', method: 'post' }, 'method: must be one of "GET", "HEAD"'],
  [{ url: 'https://example.org', json: 1 }, 'json: a GET has no body; set method, such as "POST"'],
  [{ url: 'https://example.org', method: 'POST', json: 1, text: 'a' }, 'text: a request has one body, and "json" is another one'],
  [{ url: 'https://example.org', headers: { 'a b': 1 } }, 'headers: "a b" is not the name of a header'],
  [{ url: 'https://example.org', accept_statuses: [200] }, 'accept_statuses[0]: must be >= 300'],
  [{ url: 'https://example.org', timeout_seconds: 301 }, 'timeout_seconds: must be <= 300'],
  [{ url: 'https://example.org', hmac: { header: 'X-A', secret: 'plain' } }, 'hmac.secret: must be a selector of a secret'],
  [
    { url: 'https://example.org', hmac: { header: 'X-A', secret: '$steps.s.k', algorithm: 'md5' } },
    'hmac.algorithm: must be one of "sha1"',
  ],
  [{ url: 'https://example.org', hmac: { header: 'X A', secret: '$steps.s.k' } }, 'hmac.header: must be the name of a header'],
  [{ url: 'https://example.org', body: 'x' }, ': unknown field "body"'],
])('the fault of %j is reported when it is saved', (manifest, fault) => {
  expect(faultsOf(httpRequest, manifest).map((text) => text.slice(0, fault.length))).toEqual([fault]);
});

test('every method, body and setting is accepted', () => {
  for (const body of [{ json: null }, { form: { a: '$inputs.a' } }, { text: '' }, { base64: '$inputs.a' }, { file: '$request.files.0' }])
    expect(faultsOf(httpRequest, { url: '$inputs.url', method: 'DELETE', timeout_seconds: 0.5, accept_statuses: [404], ...body })).toEqual(
      [],
    );
});
