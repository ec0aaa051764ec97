// sluice/forward@v1: the faults of its definitions, and the body and headers of its message by the kind of the request's
// body. Sending is tested in forward-sending.slow.test.ts.

import { describe, expect, test } from 'vitest';
import { type HttpMessage, isRequestPart } from '../../src/core/delivery/outbound.ts';
import type { Request } from '../../src/core/run/request.ts';
import { forward } from '../../src/steps/sluice/forward.ts';
import { faultsOf, planOfKind, stepContext } from './roboflow/step-context.ts';

const URL = 'https://example.org/in';

test.each<[object, string]>([
  [{}, 'url: is required, or "urls" in its place'],
  [{ url: URL, urls: [URL] }, 'urls: must not be given beside "url"'],
  [{ urls: [] }, 'urls: must NOT have fewer than 1 items'],
  [{ urls: Array.from({ length: 17 }, () => URL) }, 'urls: must NOT have more than 16 items'],
  [{ urls: '$inputs.urls' }, 'urls: must be'],
  [{ urls: [URL, 7] }, 'urls[1]: must be'],
  [{ urls: [URL, 'ftp://example.org/'] }, 'urls[1]: must be a URL, such as'],
  [{ url: 'ftp://example.org/' }, 'url: must be a URL, such as "https://example.org/hook?item=1", or a selector of one'],
  [{ url: URL, headers: ['a b'] }, 'headers[0]: must be the name of a header'],
  [{ url: URL, headers: ['Host'] }, 'headers: "Host" belongs to one connection or holds a credential, and is never passed on'],
  [{ url: URL, headers: ['Authorization'] }, 'headers: "Authorization" belongs to one connection or holds a credential'],
  [{ url: URL, set_headers: { 'a b': 1 } }, 'set_headers: "a b" is not the name of a header'],
  [{ url: URL, append_path: 'perhaps' }, 'append_path: must be true or false'],
  [{ url: URL, signing_secret: 'plain' }, 'signing_secret: must be a selector of a `whsec_…` secret'],
  [{ url: URL, timeout_seconds: 301 }, 'timeout_seconds: must be <= 300'],
  [{ url: URL, method: 'POST' }, ': unknown field "method"'],
])('the fault of %j is reported when it is saved', (manifest, fault) => {
  expect(faultsOf(forward, manifest).map((text) => text.slice(0, fault.length))).toEqual([fault]);
});

const FILE = { name: 'photo', filename: 'a.png', content_type: 'image/png', size: 3, sha256: 'ab' };

function requestOf(fields: Partial<Request> = {}): Request {
  const head = { method: 'PUT', path: '/hooks/a', params: { '*': 'a' }, query: {}, headers: {}, content_type: null, files: [] };
  return { ...head, client_ip: '192.0.2.1', received_at: 0, body: null, ...fields };
}

function plan(manifest: object, request: Request, body: Pick<Parameters<typeof stepContext>[0] & object, 'bodyKind' | 'bodySize'> = {}) {
  return forward.plan({ url: URL, ...manifest }, stepContext({ roots: { inputs: {}, steps: {}, request }, ...body }));
}
const messageOf = (...of: Parameters<typeof plan>): HttpMessage => planOfKind(plan(...of), 'deliver').message as HttpMessage;

describe('the body', () => {
  test.each(['json', 'ndjson', 'text', 'form', 'form:payload'] as const)('of kind %s is that of the request', (bodyKind) => {
    const { body, method } = messageOf({}, requestOf(), { bodyKind, bodySize: 7 });
    expect(method).toBe('PUT');
    expect(body).toEqual([{ request: true, size: 7 }]);
    expect(body?.every(isRequestPart)).toBe(true);
  });

  test('that is a file is the file, and an empty one is none', () => {
    expect(messageOf({}, requestOf({ files: [FILE] }), { bodyKind: 'file' }).body).toEqual([{ sha256: 'ab', size: 3 }]);
    expect(messageOf({}, requestOf()).body).toBeNull();
  });

  test('that is a multipart form is written again, with a type that names the new boundary', () => {
    const headers = { 'content-type': 'multipart/form-data; boundary=old', 'x-event': 'e' };
    const request = requestOf({ headers, files: [FILE], body: { text: 'ü', twice: ['1', '2'], json: { a: 1.5 }, 'n"': 'x' } });
    const { body, headers: sent } = messageOf({}, request, { bodyKind: 'multipart' });
    const boundary = '80000000'.repeat(4);
    expect(sent).toEqual({ 'content-type': `multipart/form-data; boundary=${boundary}`, 'x-event': 'e' });
    const text = body?.map((part) => (part instanceof Uint8Array ? Buffer.from(part).toString() : JSON.stringify(part))).join('');
    const field = (head: string, content: string): string =>
      `--${boundary}\r\nContent-Disposition: form-data; ${head}\r\n\r\n${content}\r\n`;
    expect(text).toBe(
      field('name="text"', 'ü') +
        field('name="twice"', '1') +
        field('name="twice"', '2') +
        field('name="json"\r\nContent-Type: application/json', '{"a":1.5}') +
        field('name="n%22"', 'x') +
        field('name="photo"; filename="a.png"\r\nContent-Type: image/png', '{"sha256":"ab","size":3}') +
        `--${boundary}--\r\n`,
    );
  });

  test('that is one field of a multipart form fails the step', () => {
    expect(plan({}, requestOf(), { bodyKind: 'multipart:payload' })).toMatchObject({ kind: 'failed', error: { code: 'invalid_setting' } });
  });
});

describe('headers', () => {
  const headers = { 'content-type': 'application/json', 'x-github-event': 'push', 'user-agent': 'GitHub', host: 'here', via: '1.1 proxy' };

  test('of the sender are passed on by default, and those of `headers` if they are named', () => {
    expect(messageOf({}, requestOf({ headers })).headers).toEqual({ 'content-type': 'application/json', 'x-github-event': 'push' });
    expect(messageOf({ headers: ['User-Agent'] }, requestOf({ headers })).headers).toEqual({ 'user-agent': 'GitHub' });
  });

  test('are set, replaced and left out by `set_headers`', () => {
    const set_headers = { 'X-GitHub-Event': 'pull', 'Content-Type': null, Extra: 1 };
    expect(messageOf({ set_headers }, requestOf({ headers })).headers).toEqual({ 'X-GitHub-Event': 'pull', Extra: '1' });
    expect(plan({ set_headers: { a: 'x\r\ny' } }, requestOf())).toMatchObject({ kind: 'failed', error: { code: 'invalid_setting' } });
  });
});

test('the rest of the path needs a sink with a wildcard', () => {
  expect(messageOf({ append_path: true }, requestOf({ query: { q: '1' } })).url).toBe(`${URL}/a?q=1`);
  expect(messageOf({ append_query: false }, requestOf({ query: { q: '1' } })).url).toBe(URL);
  expect(plan({ append_path: true }, requestOf({ params: {} }))).toMatchObject({
    kind: 'failed',
    error: { message: 'append_path needs a sink whose path ends in "*", such as "/hooks/*"' },
  });
});

test('a key to sign with must be a secret', () => {
  expect(plan({ signing_secret: 'whsec_AAAA' }, requestOf())).toMatchObject({ kind: 'failed', error: { code: 'invalid_setting' } });
});
