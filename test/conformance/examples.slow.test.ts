// The examples in config/examples, each as it stands in its file: a sample goes in at the sink, and a receiver looks at
// the bytes that come out.

import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeSample, type SampleKind } from '../../src/payloads/samples/index.ts';
import type { Sample, SampleOptions } from '../../src/payloads/samples/sample.ts';
import { requestOf } from '../support/sample-request.ts';
import { startTestApp, type TestApp } from '../support/start-app.ts';
import { until } from '../support/until.ts';
import { type Arrival, startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts';

const EXAMPLES = join(import.meta.dirname, '../../config/examples');
const TOKEN = 'token-of-the-example';
const SECRET = 'ApiKey abcdefg.abcdefghijklmnopqrstuvwxyz123456';

interface Example {
  app: TestApp;
  receiver: WebhookReceiver;
  /** Posts to the sink as the platform does; returns the run once it has ended. */
  post(path: string, sample: Sample): Promise<any>;
  arrived(count: number): Promise<Arrival[]>;
}

/** `variables`: what the file reads from the environment, by what stands after the receiver's address. */
async function startExample(name: string, variables: Record<string, string>): Promise<Example> {
  const receiver = await startWebhookReceiver({ body: 'ok' });
  const origin = new URL(receiver.url).origin;
  const addresses = Object.entries(variables).map(([variable, path]) => [variable, origin + path]);
  const environment = {
    LABELS_TOKEN: TOKEN,
    CAMERAS_TOKEN: TOKEN,
    V7_AUTHORIZATION: SECRET,
    DISCREPANCIES_AUTHORIZATION: 'Basic bGFicw==',
    ...Object.fromEntries(addresses),
  };
  const settings = { config: join(EXAMPLES, `${name}.yaml`), outbound_allow: '127.0.0.0/8', secrets_allow: 'V7_AUTHORIZATION' };
  const app = await startTestApp({ settings, environment });
  return {
    app,
    receiver,
    async post(path, sample) {
      const request = requestOf(sample);
      const headers = { ...request.headers, authorization: `Bearer ${TOKEN}` };
      const response = await fetch(app.url + path, { ...request, headers });
      const { run_id: runId } = (await response.json()) as any;
      expect(response.status).toBe(202);
      return await until('the run to end', async () => {
        const { body } = await app.admin('GET', `/runs/${runId}`);
        return ['completed', 'failed'].includes(body.status) ? body : null;
      });
    },
    async arrived(count) {
      await until(`${count} to arrive`, () => receiver.arrivals.length >= count);
      return receiver.arrivals;
    },
  };
}

/** A document of V7's stage of our own making, where what it says decides what happens. */
function stage(annotations: object[], item: object = {}): Extract<Sample, { body: Uint8Array }> {
  const source = { item_id: 'item-1', team: { slug: 'labs' }, dataset: { slug: 'birds' }, workview_url: 'https://v7.example.org/1' };
  const document = { version: '2.0', item: { name: 'heron.jpg', path: '/', source_info: source, ...item }, annotations };
  return { kind: 'v7.stage', contentType: 'application/json', body: Buffer.from(JSON.stringify(document, null, 1)) };
}

const box = (x: number, email: string): object => ({
  id: `box-${x}-${email}`,
  name: 'heron',
  annotators: [{ email, full_name: email }],
  bounding_box: { x, y: 10, w: 100, h: 100 },
});
const sample = (kind: SampleKind, options: Partial<SampleOptions> = {}): Sample => makeSample(kind, options);

test('a review is asked for where an item is tagged as difficult, and only there', async () => {
  const { post, arrived, receiver } = await startExample('v7-review-notification', { SLACK_WEBHOOK_URL: '/services/T0/B0/X' });
  const plain = await post('/labels/review', stage([box(1, 'ada@example.org')]));
  expect(plain).toMatchObject({ status: 'completed', output: { matched: false } });
  await post('/labels/review', stage([{ id: 't', name: 'Urgent', tag: {} }]));
  const [message] = await arrived(1);
  expect(message?.target).toBe('/services/T0/B0/X');
  expect(message?.headers['content-type']).toBe('application/json');
  expect(message?.body).toBe('{"text": "heron.jpg of birds is difficult or urgent and waits for a review: https://v7.example.org/1"}');
  expect(receiver.arrivals).toHaveLength(1);
});

test('the sample of a stage, as sluice send makes it, asks for a review and disagrees with itself', async () => {
  const made = sample('v7.stage');
  const review = await startExample('v7-review-notification', { SLACK_WEBHOOK_URL: '/services/T0/B0/X' });
  expect((await review.post('/labels/review', made)).output).toEqual({ matched: true });
  const compare = await startExample('v7-human-or-model', { DISCREPANCIES_URL: '/train' });
  expect((await compare.post('/labels/blind-test', made)).output).toMatchObject({ agreed: false });
});

test('where a human and a model disagree, the whole document is sent on as it came', async () => {
  const { post, arrived, receiver } = await startExample('v7-human-or-model', { DISCREPANCIES_URL: '/train?target=model' });
  const alike = stage([box(10, 'ada@example.org'), box(12, 'model@example.org')]);
  expect(await post('/labels/blind-test', alike)).toMatchObject({ status: 'completed', output: { agreed: true } });
  const apart = stage([box(10, 'ada@example.org'), box(90, 'model@example.org')]);
  const { output } = await post('/labels/blind-test', apart);
  expect(output.agreed).toBe(false);
  expect(output.iou).toBeCloseTo(20 / 180);
  const [report] = await arrived(1);
  expect(report?.target).toBe('/train?target=model');
  expect(report?.headers['authorization']).toBe('Basic bGFicw==');
  expect(Buffer.from(report?.bytes ?? [])).toEqual(apart.body);
  expect(receiver.arrivals).toHaveLength(1);
});

test('of many items a sample goes on, each with its whole document', async () => {
  const ITEMS = 100;
  const { post, receiver } = await startExample('v7-sampled-test-set', { TEST_SET_URL: '/sheet' });
  const sent = Array.from({ length: ITEMS }, (_, index) => sample('v7.stage', { seed: index + 1, objects: 1 }));
  const runs = await Promise.all(sent.map((item) => post('/labels/completed', item)));
  const drawn = sent.filter((_, index) => runs[index].output.edges.length > 0);
  // Within four sigma of 20; that the draws are fair is shown with 10,000 items elsewhere.
  expect(drawn.length).toBeGreaterThanOrEqual(4);
  expect(drawn.length).toBeLessThanOrEqual(36);
  expect(receiver.arrivals.map(({ body }) => body).toSorted()).toEqual(
    drawn.map((item) => Buffer.from((item as { body: Uint8Array }).body).toString()).toSorted(),
  );
});

test('a custom command goes back through the API of V7, with its key in no other place', async () => {
  const { app, post, arrived } = await startExample('v7-custom-command', { V7_API_URL: '' });
  const run = await post('/labels/send-back', stage([]));
  expect(run.status).toBe('completed');
  const [command] = await arrived(1);
  expect(command?.target).toBe('/api/v2/teams/labs/items/stage');
  expect(command?.headers['authorization']).toBe(SECRET);
  expect(JSON.parse(command?.body ?? '')).toEqual({
    filters: { item_ids: ['item-1'], dataset_ids: [60844] },
    workflow_id: '01234567-89ab-cdef-0123-456789abcdef',
    stage_id: 'fedcba98-7654-3210-fedc-ba9876543210',
  });
  expect(app.logs.join('')).not.toContain('abcdefghijklmnop');
  expect(JSON.stringify(run)).not.toContain('abcdefghijklmnop');
});

describe('when an inference detects a specific class', () => {
  const frame = (classId: string): Sample => {
    const made = sample('robovision.object_detection', { objects: 1 });
    if ('body' in made) throw new Error('a frame is a form');
    const boundingBox = { x: 1, y: 2, width: 3, height: 4 };
    const document = JSON.stringify({ kind: 'ObjectDetection.v1', objects: [{ classId, confidence: 0.93, boundingBox }] });
    const parts = made.parts.map((part) => (part.name === 'predictions' ? { ...part, bytes: Buffer.from(document) } : part));
    return { ...made, parts };
  };

  test('the whole frame is sent on, its image and its document as they came', async () => {
    const { post, arrived, receiver } = await startExample('robovision-class-alert', { ALERT_URL: '/alert' });
    expect((await post('/cameras/river/frames', frame('heron'))).output).toEqual({ sent: false });
    const seen = frame('leaf');
    expect((await post('/cameras/river/frames', seen)).output).toEqual({ sent: true });
    const [alert] = await arrived(1);
    const type = alert?.headers['content-type'] as string;
    const form = await new Response(new Uint8Array(alert?.bytes ?? []), { headers: { 'content-type': type } }).formData();
    const parts = await Promise.all([...form].map(async ([name, file]) => [name, Buffer.from(await (file as File).arrayBuffer())]));
    expect(parts).toEqual(
      (seen as { parts: { name: string; bytes: Uint8Array }[] }).parts.map(({ name, bytes }) => [name, Buffer.from(bytes)]),
    );
    expect(receiver.arrivals).toHaveLength(1);
  });
});
