// Source 002, the camera-inference webhooks of Robovision: what they send goes in, and the same comes out at a real
// receiver. The forms are read by Node's own parser, and every file is compared by its hash.

import { describe, expect, test } from 'vitest';
import type { StepType } from '../../src/steps/step-type.ts';
import { type RecordedRequest, startRecorder } from '../steps/roboflow/wire-recorder.ts';
import { JPEG, KINDS, robovisionForm, sha256 } from '../steps/robovision/forms.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { shareApp } from '../support/shared-app.ts';
import { until } from '../support/until.ts';
import { type Arrival, startWebhookReceiver } from '../support/webhook-receiver.ts';

/** Stands for a sink that recognises payloads: gives that of the form that was sent. */
const recognise: StepType<{ kind: string }> = {
  type: 'test/recognise@v1',
  properties: { kind: { type: 'string' } },
  required: ['kind'],
  outputs: () => ['payload'],
  plan({ kind }, { roots }) {
    const { files } = roots['request'] as { files: { name: string }[] };
    const hasImage = files.some(({ name }) => name === 'image');
    return { kind: 'completed', outputs: { payload: robovisionForm(kind, hasImage ? JPEG : null).payload } };
  },
};

const app = shareApp({ stepTypes: [recognise] as unknown as readonly StepType[], settings: { outbound_allow: '127.0.0.0/8' } });

let made = 0;

/** A sink that sends what it gets on; returns the path to post to. */
async function startFlow(url: string, fields: object = {}): Promise<{ path: string; sinkId: string }> {
  made += 1;
  const name = `camera${made}`;
  const inputs = ['kind', 'camera'].map((input) => ({ type: 'WorkflowParameter', name: input }));
  const steps = [
    { type: 'test/recognise@v1', name: 'intake', kind: '$inputs.kind' },
    { type: 'robovision/camera_webhook@v1', name: 'push', url, payload: '$steps.intake.payload', ...fields },
  ];
  const outputs = ['sent', 'success', 'status_code', 'response_body', 'message', 'delivery_id'].map((output) => ({
    type: 'JsonField',
    name: output,
    selector: `$steps.push.${output}`,
  }));
  await app().workflow(name, { inputs, steps, outputs });
  const { id: sinkId } = await app().sink({ path: `/${name}`, workflow_id: name, response: 'wait' });
  return { path: `/shop/${name}`, sinkId };
}

/** Sends a form as Robovision does; resolves to the outputs of the step. */
async function sendForm(path: string, kind: string, image: Buffer | null = JPEG, camera = 'gate 7'): Promise<any> {
  const form = new FormData();
  form.set('kind', kind);
  form.set('camera', camera);
  for (const { name, filename, type, content } of robovisionForm(kind, image).files)
    form.set(name, new File([new Uint8Array(content)], filename, { type }));
  const response = await fetch(`${app().url}${path}`, { method: 'POST', body: form });
  const answer = (await response.json()) as { status: string; output: unknown };
  if (answer.status !== 'completed') throw new Error(JSON.stringify(answer));
  return answer.output;
}

/** The parts as Node reads them, in order. */
async function partsOf({ headers, body }: RecordedRequest): Promise<object[]> {
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': headers['content-type'] ?? '' } }).formData();
  return await Promise.all(
    [...form].map(async ([name, value]) => {
      const file = value as File;
      return { name, filename: file.name, type: file.type, sha256: sha256(new Uint8Array(await file.arrayBuffer())) };
    }),
  );
}

const partsSentIn = (kind: string, image: Buffer | null): object[] =>
  robovisionForm(kind, image).files.map(({ name, filename, type, content }) => ({ name, filename, type, sha256: sha256(content) }));

async function record(response?: string) {
  const recorder = await startRecorder(response);
  onTestEnd(() => recorder.close());
  return { ...recorder, url: `http://127.0.0.1:${recorder.port}/room?key=1` };
}

const AWAITED = { fire_and_forget: false, request_timeout: 20 };

describe('"The request\'s body is HTTP multipart encoded": image, masks and predictions arrive byte for byte', () => {
  test.each(KINDS)('%s', async (kind) => {
    const { url, requests } = await record();
    const { path } = await startFlow(url, AWAITED);
    expect(await sendForm(path, kind)).toMatchObject({
      sent: true,
      success: true,
      status_code: 200,
      message: 'the receiver answered 200 OK',
    });
    await sendForm(path, kind, null);
    const withoutImage = await startFlow(url, { ...AWAITED, include_image: false });
    await sendForm(withoutImage.path, kind);
    expect(requests.map(({ method, target }) => `${method} ${target}`)).toEqual(Array(3).fill('POST /room?key=1'));
    const [whole, ...bare] = await Promise.all(requests.map(partsOf));
    expect(whole).toEqual(partsSentIn(kind, JPEG));
    expect(bare).toEqual([partsSentIn(kind, null), partsSentIn(kind, null)]);
    for (const { headers, body } of requests) expect(headers['content-length']).toBe(String(body.byteLength));
  });
});

test('"when an inference detects a specific class": other frames are not sent, and the step says so', async () => {
  const { url, requests } = await record();
  const { path } = await startFlow(url, { ...AWAITED, only_classes: ['leaf'], min_confidence: 0.5 });
  expect(await sendForm(path, 'robovision.image_classification')).toEqual({
    sent: false,
    success: null,
    status_code: null,
    response_body: null,
    message: 'not sent: no prediction of "leaf" with a confidence of at least 0.5',
    delivery_id: null,
  });
  expect(await sendForm(path, 'robovision.object_detection')).toMatchObject({ sent: true, success: true });
  expect(requests).toHaveLength(1);
});

test('"If the requests to the webhook fail with error codes": they are tried again, and every answer is recorded', async () => {
  const statuses = [500, 503, 200];
  const receiver = await startWebhookReceiver({ status: () => statuses.shift() ?? 500, body: 'Files uploaded successfully' });
  const { path } = await startFlow(receiver.url, { ...AWAITED, retry: { max_retries: 3, base_seconds: 0 } });
  const output = await sendForm(path, 'robovision.instance_segmentation');
  expect(output).toMatchObject({ success: true, response_body: 'Files uploaded successfully' });
  const { attempts } = (await app().admin('GET', `/deliveries/${output.delivery_id}`)).body;
  expect(attempts.map(({ status }: { status: number }) => status)).toEqual([500, 503, 200]);
  expect(attempts[2].response.body.text).toBe('Files uploaded successfully');
  expect(new Set(receiver.arrivals.map(({ key, body }) => key + sha256(Buffer.from(body)))).size).toBe(1);
  const refused = await record('400 Bad Request');
  const failing = await startFlow(refused.url, AWAITED);
  expect(await sendForm(failing.path, 'robovision.object_detection')).toMatchObject({ sent: true, success: false, status_code: 400 });
});

describe('"If the receiving application cannot process requests quickly enough"', () => {
  /** A receiver that answers one after the other, each when it is told to. */
  async function startSlow() {
    const held: (() => void)[] = [];
    const wait = (): Promise<void> => new Promise((resolve) => void held.push(resolve));
    const receiver = await startWebhookReceiver({ wait });
    onTestEnd(() => {
      for (const answer of held) answer();
    });
    return { ...receiver, answer: () => held.shift()?.() };
  }

  async function statusesOf(sinkId: string): Promise<string[]> {
    const { deliveries } = (await app().admin('GET', `/deliveries?sink_id=${sinkId}`)).body;
    return deliveries.map(({ status }: { status: string }) => status).reverse();
  }

  const become = (sinkId: string, expected: string[]): Promise<unknown> =>
    until(`the deliveries to be ${expected}`, async () => `${await statusesOf(sinkId)}` === `${expected}`);

  test('queue: the sender never waits, and every frame arrives', async () => {
    const receiver = await startSlow();
    const { path, sinkId } = await startFlow(receiver.url, { request_timeout: 20 });
    for (let frame = 0; frame < 3; frame += 1) expect(await sendForm(path, 'robovision.object_detection')).toMatchObject({ success: null });
    await until('all to arrive', () => receiver.arrivals.length === 3);
    for (let frame = 0; frame < 3; frame += 1) receiver.answer();
    await become(sinkId, ['delivered', 'delivered', 'delivered']);
  });

  test('latest_wins: of each camera the newest frame waits, and what came in between is dropped', async () => {
    const receiver = await startSlow();
    const fields = { request_timeout: 20, overflow: 'latest_wins', overflow_key: '$inputs.camera' };
    const { path, sinkId } = await startFlow(receiver.url, fields);
    await sendForm(path, 'robovision.object_detection');
    await until('the first to arrive', () => receiver.arrivals.length === 1);
    for (const kind of ['robovision.multilabel_classification', 'robovision.instance_segmentation']) await sendForm(path, kind);
    await sendForm(path, 'robovision.object_detection', JPEG, 'gate 8');
    await until('the other camera', () => receiver.arrivals.length === 2);
    await become(sinkId, ['sending', 'dropped', 'queued', 'sending']);
    receiver.answer();
    await until('the newest to arrive', () => receiver.arrivals.length === 3);
    receiver.answer();
    receiver.answer();
    await become(sinkId, ['delivered', 'dropped', 'delivered', 'delivered']);
    expect((receiver.arrivals[2] as Arrival).body).toContain('InstanceSegmentation.v1');
  });

  test('reject: a frame too many is not sent, and a step that waits says so', async () => {
    const receiver = await startSlow();
    const fields = { ...AWAITED, overflow: 'reject', overflow_limit: 1 };
    const { path, sinkId } = await startFlow(receiver.url, fields);
    const first = sendForm(path, 'robovision.object_detection');
    await until('the first to arrive', () => receiver.arrivals.length === 1);
    expect(await sendForm(path, 'robovision.object_detection')).toMatchObject({
      sent: false,
      success: false,
      message: 'the receiver is behind: 1 wait',
    });
    receiver.answer();
    expect(await first).toMatchObject({ sent: true, success: true });
    await become(sinkId, ['delivered', 'dropped']);
  });
});
