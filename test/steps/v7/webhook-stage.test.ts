// The Webhook Stage: its message, the edges it takes, and refused definitions.

import { describe, expect, test } from 'vitest';
import type { HttpMessage, OutboundResult } from '../../../src/core/delivery/outbound.ts';
import { parseJson } from '../../../src/core/json/json.ts';
import type { FileHandle } from '../../../src/core/run/request.ts';
import { webhookStage } from '../../../src/steps/v7/webhook-stage.ts';
import { payload, prediction } from '../payloads.ts';
import { answer, faultsOf, planOfKind, stepContext } from '../roboflow/step-context.ts';

type Manifest = Parameters<typeof webhookStage.plan>[0];

const DOCUMENT: FileHandle = { name: 'body', filename: null, content_type: 'application/json', size: 1234, sha256: 'a'.repeat(64) };
const ITEM = payload([prediction()], { document: DOCUMENT });
const context = stepContext({ roots: { inputs: {}, steps: {}, request: { files: [DOCUMENT], payload: ITEM } } });
const URL = 'https://example.org/hook?item=7&again=%20a+b';

function sent(fields: Partial<Manifest> = {}): { message: HttpMessage; body: string; retry: unknown } {
  const { message, retry, outcome } = planOfKind(webhookStage.plan({ url: URL, ...fields }, context), 'deliver');
  expect(outcome).toBeNull();
  const http = message as HttpMessage;
  const body = (http.body ?? []).map((part) =>
    part instanceof Uint8Array ? new TextDecoder().decode(part) : `blob ${'sha256' in part && part.sha256} ${part.size}`,
  );
  return { message: http, body: body.join(), retry };
}

describe('the sent message', () => {
  test('a webhook stage sends a POST of JSON to the URL as typed', () => {
    expect(sent().message).toMatchObject({
      method: 'POST',
      url: URL,
      headers: { 'Content-Type': 'application/json' },
      redirects: 'refuse',
      succeeds: '2xx',
      timeoutMs: 30_000,
      signingSecret: null,
    });
    expect(sent({ request_timeout: 0.5 }).message.timeoutMs).toBe(500);
  });

  test.each(['Bearer x', 'just-this', 'ApiKey 1234567.abc', ' spaced '])('the Authorization header is sent as typed: %j', (typed) => {
    expect(sent({ authorization_header: typed }).message.headers).toEqual({ 'Content-Type': 'application/json', Authorization: typed });
  });

  test.each([null, '', undefined])('without an authorization no Authorization header is sent: %j', (typed) => {
    expect(Object.keys(sent(typed === undefined ? {} : { authorization_header: typed }).message.headers)).toEqual(['Content-Type']);
  });

  test.each<[string, Partial<Manifest>, string]>([
    ['the received document', {}, `blob ${DOCUMENT.sha256} 1234`],
    ['its metadata without annotations', { include_annotations: false }, '{"version":"2.0","item":{"name":"a.png"}}'],
    ['any JSON of another step', { payload: parseJson('{"a":1.0,"annotations":[1]}') }, '{"a":1.0,"annotations":[1]}'],
    [
      'any JSON without its annotations',
      { payload: parseJson('{"a":1.0,"annotations":[1],"b":{"annotations":2}}'), include_annotations: false },
      '{"a":1.0,"b":{"annotations":2}}',
    ],
    ['a list', { payload: [1, { annotations: 2 }], include_annotations: false }, '[1,{"annotations":2}]'],
    ['text', { payload: 'é' }, '"é"'],
    ['an object that looks like a handle', { payload: DOCUMENT }, JSON.stringify(DOCUMENT)],
  ])('the body is %s', (_what, fields, body) => {
    expect(sent(fields).body).toBe(body);
  });

  test('a file that did not come with this request is never sent, whatever the payload says', () => {
    const imitation = payload([], { document: { ...DOCUMENT, sha256: 'b'.repeat(64) } });
    expect(sent({ payload: imitation }).body).toBe(JSON.stringify(imitation));
    const lying = payload([], { document: { ...DOCUMENT, size: 5 } });
    expect(sent({ payload: lying }).body).toBe(`blob ${DOCUMENT.sha256} 1234`);
  });

  test('a message has six attempts, one, or as many as configured', () => {
    const times = { baseSeconds: 1, maxSeconds: 300 };
    expect(sent().retry).toEqual({ maxRetries: 5, ...times });
    expect(sent({ retry_if_fails: false }).retry).toEqual({ maxRetries: 0, ...times });
    expect(sent({ retry: { max_retries: 2, base_seconds: 9 } }).retry).toEqual({ maxRetries: 2, baseSeconds: 9, maxSeconds: 300 });
    expect(sent({ retry_if_fails: false, retry: { base_seconds: 9 } }).retry).toMatchObject({ maxRetries: 0, baseSeconds: 9 });
  });
});

describe('the edges of the stage', () => {
  const edges = { on_success: ['$steps.yes', '$steps.also'], on_failure: ['$steps.no'] };
  const leave = (result: OutboundResult, fields: Partial<Manifest> = edges) =>
    webhookStage.interpret?.({ url: URL, ...fields }, result, context);
  const outputs = (fields: object) => ({ success: false, status_code: null, response_body: null, delivery_id: 'dlv_1', ...fields });

  test.each([200, 201, 204, 299])('status %i takes the edge for success', (status) => {
    expect(leave(answer(status, 'thanks', 'Fine'))).toEqual({
      kind: 'completed',
      outputs: outputs({ success: true, status_code: status, message: `the receiver answered ${status} Fine`, response_body: 'thanks' }),
      chosen: ['yes', 'also'],
      message: `the receiver answered ${status} Fine`,
    });
  });

  test.each([199, 300, 302, 400, 404, 410, 413, 500, 503])('status %i takes the edge for failure', (status) => {
    const message = `the receiver answered ${status}`;
    expect(leave(answer(status, 'no'))).toMatchObject({
      outputs: outputs({ status_code: status, message, response_body: 'no' }),
      chosen: ['no'],
    });
    expect(leave(answer(status), {})).toEqual({ kind: 'failed', retryable: false, error: { code: 'delivery_failed', message } });
  });

  test.each<[OutboundResult, string]>([
    [{ kind: 'timeout', phase: 'headers' }, 'no answer in time (headers)'],
    [{ kind: 'network', code: 'ECONNREFUSED', reason: 'connection refused' }, 'connection refused'],
    [{ kind: 'refused', reason: 'the address is private' }, 'the address is private'],
  ])('a message without an answer takes the edge for failure: $kind', (result, message) => {
    expect(leave(result)).toMatchObject({ outputs: outputs({ message }), chosen: ['no'] });
    expect(leave(result, {})).toMatchObject({ kind: 'failed', error: { code: 'delivery_failed', message } });
  });

  test('a success without an edge ends the branch if only failure has an edge', () => {
    expect(leave(answer(200), { on_failure: ['$steps.no'] })).toMatchObject({ kind: 'completed', chosen: [] });
  });

  test.each<[Partial<Manifest>, string]>([
    [{ url: null }, 'url must be a URL'],
    [{ url: 'ftp://example.org' }, 'url must be a URL'],
    [{ url: 'example.org' }, 'url must be a URL'],
    [{ url: ['https://example.org'] }, 'url must be a URL'],
    [{ authorization_header: 'a\r\nX: y' }, 'authorization_header must be one line of text'],
    [{ authorization_header: 'ключ' }, 'authorization_header must be one line of text'],
    [{ authorization_header: { token: 1 } }, 'authorization_header must be one line of text'],
    [{ payload: null }, 'there is no payload'],
    [{ payload: payload([], { source: 'roboflow', metadata: null }), include_annotations: false }, 'a payload of roboflow has no metadata'],
  ])('a selected value that cannot be sent takes the edge for failure: %j', (fields, message) => {
    const plan = webhookStage.plan({ url: URL, ...edges, ...fields }, context);
    expect(plan).toMatchObject({
      kind: 'completed',
      outputs: { success: false, delivery_id: null, message: expect.stringContaining(message) },
      chosen: ['no'],
    });
    expect(webhookStage.plan({ url: URL, ...fields }, context)).toMatchObject({ kind: 'failed', error: { code: 'delivery_failed' } });
  });

  test('a sink without typed payloads makes the stage take the edge for failure', () => {
    expect(webhookStage.plan({ url: URL }, stepContext())).toMatchObject({
      kind: 'failed',
      error: { message: expect.stringContaining('"payload": "v7"') },
    });
  });
});

describe('definitions of a webhook stage', () => {
  test.each<[string, object, string]>([
    ['an invalid URL', { url: 'example.org/hook' }, 'url: must be a URL, such as "https://example.org/hook?item=1", or a selector of one'],
    ['no URL', { url: null }, 'url: must be string'],
    ['an authorization of two lines', { authorization_header: 'a\nb' }, 'authorization_header: must be one line of text'],
    ['an authorization that is not text', { authorization_header: 7 }, 'authorization_header: must be string,null'],
    ['an include_annotations that is not a flag', { include_annotations: 'yes' }, 'include_annotations: must be boolean'],
    ['a retry_if_fails that is not a flag', { retry_if_fails: 5 }, 'retry_if_fails: must be boolean'],
    ['a timeout of 0', { request_timeout: 0 }, 'request_timeout: must be >= 0.001'],
    ['a target that is not a step', { on_failure: ['$inputs.x'] }, 'on_failure[0]: must name a step, such as "$steps.name"'],
    [
      'an unknown setting',
      { include_anotations: true },
      'unknown field "include_anotations"; did you mean "include_annotations"? Known are',
    ],
  ])('a webhook stage is refused for %s', (_what, fields, fault) => {
    expect(faultsOf(webhookStage, { url: URL, ...fields }).join()).toContain(fault);
  });

  test('a webhook stage with all properties is accepted', () => {
    const fields = {
      url: '$inputs.url',
      authorization_header: '$steps.secrets.token',
      include_annotations: false,
      retry_if_fails: true,
      payload: '$request.payload',
      on_success: ['$steps.a'],
      on_failure: ['$steps.b'],
      retry: { max_retries: 5, base_seconds: 1, max_seconds: 300 },
    };
    expect(faultsOf(webhookStage, fields)).toEqual([]);
  });
});
