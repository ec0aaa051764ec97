// The cases recorded from Roboflow's own Webhook Sink: the planned message goes over a real socket and must have the
// recorded bytes. A case with an intended difference says how and why.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { parseOutboundAllow } from '../../../src/config/config-values.ts';
import { parseJson } from '../../../src/core/json/json.ts';
import { Bytes } from '../../../src/core/values/bytes.ts';
import { createAddressPolicy } from '../../../src/delivery/address-policy.ts';
import { createSender } from '../../../src/delivery/create-sender.ts';
import { webhookSink } from '../../../src/steps/roboflow/webhook-sink.ts';
import { onTestEnd } from '../../support/cleanup.ts';
import { stepContext } from './step-context.ts';
import { type RecordedRequest, startRecorder } from './wire-recorder.ts';

interface WebhookVector {
  name: string;
  step: Record<string, unknown>;
  result?: { error_status: boolean; throttling_status: boolean; message: string };
  raises?: string;
  message?: string;
  server_responds?: string;
  requests: ExpectedRequest[];
}

interface ExpectedRequest {
  method: string;
  target: string;
  headers: Record<string, string>;
  body?: string;
  multipart?: { headers: Record<string, string>; body: string | { base64: string } }[];
}

const vectors = parseJson(readFileSync(join(import.meta.dirname, '../../vectors/webhook_vectors.json'), 'utf8')) as WebhookVector[];

/** Python's requests fails for a header that is not text, although the block's schema allows it. Sluice writes it as text. */
function differsOnPurpose({ step, result }: WebhookVector): { headers: Record<string, string> } | null {
  if (result === undefined || !/must be of type str or bytes, not <class '(?:int|float|bool)'>$/.test(result.message)) return null;
  const headers = Object.entries(step['headers'] as Record<string, unknown>);
  return {
    headers: Object.fromEntries(
      headers.map(([name, value]) => [name, value === true ? 'True' : value === false ? 'False' : String(value)]),
    ),
  };
}

const sender = createSender({
  policy: createAddressPolicy(parseOutboundAllow('127.0.0.0/8')),
  openBlob: () => {
    throw new Error('no case sends a received file');
  },
  userAgent: 'sluice/test',
  lookup: () => Promise.reject(Object.assign(new Error('not found'), { code: 'ENOTFOUND' })),
});
afterAll(() => sender.close());

test('every recorded case is present', () => {
  process.stdout.write(`webhook vectors: ${vectors.length} cases\n`);
  expect(vectors.length).toBeGreaterThanOrEqual(52);
  expect(new Set(vectors.map(({ name }) => name)).size).toBe(vectors.length);
});

test.each(vectors.map((vector) => [vector.name, vector] as const))(
  'the recorded case %s has the same bytes on the wire',
  async (_name, vector) => {
    const recorder = await startRecorder(vector.server_responds);
    onTestEnd(recorder.close);
    const manifest = {
      type: webhookSink.type,
      name: 'webhook',
      method: 'POST',
      url: `http://127.0.0.1:${recorder.port}/hook`,
      fire_and_forget: false,
      cooldown_seconds: 0,
      ...(inPlace(vector.step, recorder.port) as object),
    };
    const context = stepContext();
    const plan = webhookSink.plan(manifest, context);

    if (vector.raises !== undefined) {
      expect(plan).toMatchObject({ kind: 'failed', error: { message: vector.message } });
      expect(recorder.requests).toEqual([]);
      return;
    }
    let outputs: Record<string, unknown>;
    if (plan.kind === 'deliver') {
      expect(plan.outcome).toBeNull();
      const options = { idempotencyKey: 'key', deliveryId: 'dlv_1_0', attempt: 1, now: Date.now(), signal: new AbortController().signal };
      const outcome = webhookSink.interpret?.(manifest, await sender.send(plan.message, options), context);
      if (outcome?.kind !== 'completed') throw new Error('a webhook that was sent must complete');
      outputs = outcome.outputs;
    } else if (plan.kind === 'completed') outputs = plan.outputs;
    else throw new Error(`planned ${plan.kind}`);

    const different = differsOnPurpose(vector);
    if (different !== null) {
      expect(outputs).toMatchObject({ error_status: false, message: 'Notification sent successfully' });
      expect(recorder.requests[0]?.headers).toMatchObject(different.headers);
      return;
    }
    const { error_status, throttling_status, message } = outputs;
    expect({ error_status, throttling_status, message }).toEqual({
      ...vector.result,
      message: vector.result?.message.replaceAll('{PORT}', String(recorder.port)),
    });
    expect(recorder.requests).toHaveLength(vector.requests.length);
    for (const [index, expected] of vector.requests.entries()) expectSame(recorder.requests[index] as RecordedRequest, expected);
  },
);

function expectSame(seen: RecordedRequest, expected: ExpectedRequest): void {
  expect(`${seen.method} ${seen.target}`).toBe(`${expected.method} ${expected.target}`);
  const boundary = /boundary=([0-9a-f]{32})$/.exec(seen.headers['content-type'] ?? '')?.[1] ?? boundaryOf(seen.body);
  for (const [name, value] of Object.entries(expected.headers)) {
    expect(`${name}: ${seen.headers[name]}`).toBe(`${name}: ${value.replace('{BOUNDARY}', boundary)}`);
  }
  for (const name of ['authorization', 'content-type', 'transfer-encoding']) {
    if (!(name in expected.headers)) expect(seen.headers).not.toHaveProperty([name]);
  }
  expect(seen.body.toString('latin1')).toBe(expectedBody(expected, boundary).toString('latin1'));
}

/** Reads the boundary from the body, for a case whose own content type hides it. */
function boundaryOf(body: Buffer): string {
  return /^--([0-9a-f]{32})\r\n/.exec(body.toString('latin1'))?.[1] ?? '';
}

function expectedBody({ body, multipart }: ExpectedRequest, boundary: string): Buffer {
  if (multipart === undefined) return Buffer.from(body ?? '');
  const order = ['content-disposition', 'content-type'];
  const names: Record<string, string> = { 'content-disposition': 'Content-Disposition', 'content-type': 'Content-Type' };
  const parts = multipart.map(({ headers, body: content }) => {
    const lines = order.filter((name) => headers[name] !== undefined).map((name) => `${names[name]}: ${headers[name]}\r\n`);
    const bytes = typeof content === 'string' ? Buffer.from(content) : Buffer.from(content.base64, 'base64');
    return Buffer.concat([Buffer.from(`--${boundary}\r\n${lines.join('')}\r\n`), bytes, Buffer.from('\r\n')]);
  });
  return Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)]);
}

/** Bytes are written as `{"$bytes_base64": …}`, or as `<bytes>` if their content does not matter; `{PORT}` is the recorder's. */
function inPlace(value: unknown, port: number): unknown {
  if (value === '<bytes>') return new Bytes(Buffer.from('bytes'));
  if (typeof value === 'string') return value.replaceAll('{PORT}', String(port));
  if (Array.isArray(value)) return value.map((item) => inPlace(item, port));
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  const { $bytes_base64: base64 } = value as { $bytes_base64?: string };
  if (base64 !== undefined) return new Bytes(Buffer.from(base64, 'base64'));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, inPlace(item, port)]));
}
