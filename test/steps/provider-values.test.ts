// Requests as providers send them, opened by operations in whole runs; requests that cannot be opened fail their step only.

import { expect, test } from 'vitest';
import { shareApp } from '../support/shared-app.ts';

const property = (name: string, data: string, ...operations: object[]) => ({
  type: 'roboflow_core/property_definition@v1',
  name,
  data,
  operations,
});
const DECODE = { type: 'sluice/decode_base64' };
const PARSE = { type: 'sluice/parse_json' };
const parseDate = (format: string) => ({ type: 'sluice/parse_date', format });
const formatDate = (format: string) => ({ type: 'sluice/format_date', format });

const STEPS: Record<string, object[]> = {
  pubsub: [
    property('value', '$request.body.message.data', DECODE, PARSE),
    property('at', '$request.body.message.publishTime', parseDate('rfc3339')),
  ],
  sns: [
    property('value', '$request.body.Message', PARSE),
    property('at', '$request.body.Timestamp', parseDate('rfc3339'), formatDate('epoch_milliseconds')),
  ],
  mailgun: [
    property('value', '$request.body.signature.token', { type: 'sluice/sha256' }),
    property('at', '$request.body.signature.timestamp', parseDate('epoch_seconds'), formatDate('http')),
  ],
  twilio: [
    property('value', '$request.body.date_created', parseDate('rfc2822'), formatDate('rfc3339')),
    property('at', '$request.body.date_created', parseDate('rfc2822'), { type: 'TimestampToISOFormat' }),
  ],
};

const app = shareApp({}, async (shared) => {
  for (const [id, steps] of Object.entries(STEPS)) {
    const outputs = ['value', 'at'].map((name) => ({ type: 'JsonField', name, selector: `$steps.${name}.output` }));
    await shared.workflow(id, { steps, outputs });
    await shared.sink({ path: `/${id}`, workflow_id: id, response: 'wait', body: 'json' });
  }
});

async function send(path: string, body: unknown): Promise<{ status: number; text: string }> {
  const response = await fetch(`${app().url}/shop/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'text/plain; charset=UTF-8' },
    body: JSON.stringify(body),
  });
  return { status: response.status, text: await response.text() };
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

test.each<[string, object, string]>([
  [
    'pubsub',
    { message: { data: base64('{"id":12345678901234567890,"price":1.50}'), publishTime: '2021-02-26T19:13:55.749Z' } },
    '{"value":{"id":12345678901234567890,"price":1.50},"at":"2021-02-26T19:13:55.749000+00:00"}',
  ],
  [
    'sns',
    { Type: 'Notification', Message: '{"orders":[{"id":7}]}', Timestamp: '2012-05-02T00:54:06.655Z' },
    '{"value":{"orders":[{"id":7}]},"at":1335920046655}',
  ],
  [
    'mailgun',
    { signature: { timestamp: '1529006854', token: 'abc' } },
    '{"value":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","at":"Thu, 14 Jun 2018 20:07:34 GMT"}',
  ],
  ['twilio', { date_created: 'Mon, 16 Aug 2010 03:45:01 +0000' }, '{"value":"2010-08-16T03:45:01Z","at":"2010-08-16T03:45:01+00:00"}'],
])('a request of %s is opened', async (path, body, output) => {
  const { status, text } = await send(path, body);
  expect(status).toBe(200);
  expect(text).toContain(`"status":"completed","output":${output}`);
});

test.each<[string, unknown, string]>([
  ['text that is not base64', '{"a":1}', 'the text holds "{" at index 0, which is not a character of base64'],
  ['base64 of bytes', Buffer.from([0xff, 0xd8, 0xff]).toString('base64'), 'the bytes in the base64 text are not UTF-8 text'],
  ['base64 of text', base64('hello'), 'the text is not valid JSON: '],
  ['base64 of nothing', '', 'the text is empty'],
  ['a bomb of levels', base64('['.repeat(100_000)), 'the text nests deeper than 100 levels'],
  ['a key of prototypes', base64('{"__proto__":{"polluted":true}}'), 'the text has a key "__proto__" or "constructor.prototype"'],
  ['a number', 7, 'the value must be text, but is a number'],
  ['an object', { data: base64('{}') }, 'the value must be text, but is an object'],
])('a message with %s fails its step, and the next run completes', async (_what, data, message) => {
  const failed = await send('pubsub', { message: { data, publishTime: '2021-02-26T19:13:55Z' } });
  expect(failed.status).toBe(502);
  const { error } = JSON.parse(failed.text) as { error: unknown };
  expect(error).toMatchObject({ code: 'operation_failed', step: 'value', message: expect.stringContaining(message) });
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  const next = await send('pubsub', { message: { data: base64('1'), publishTime: '2021-02-26T19:13:55Z' } });
  expect(next.text).toContain('"status":"completed","output":{"value":1,');
});

test('a message without the value fails its step', async () => {
  const { text } = await send('sns', { Timestamp: '2012-05-02T00:54:06.655Z' });
  expect(JSON.parse(text)).toMatchObject({ status: 'failed', error: { code: 'operation_failed', step: 'value' } });
});
