// What a platform sends arrives at the other end as it came, to the last byte of the last file: of every kind, through a
// server that is killed while it holds it and a receiver that was away.

import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { makeSample, type SampleKind } from '../../src/payloads/samples/index.ts';
import type { Sample } from '../../src/payloads/samples/sample.ts';
import { admin } from '../support/remote-admin.ts';
import { requestOf } from '../support/sample-request.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { type Arrival, startWebhookReceiver } from '../support/webhook-receiver.ts';

const CAMERA_KINDS: readonly SampleKind[] = [
  'robovision.object_detection',
  'robovision.image_classification',
  'robovision.multilabel_classification',
  'robovision.instance_segmentation',
  'robovision.semantic_segmentation',
];
const STAGE_KINDS: readonly SampleKind[] = ['v7.stage', 'v7.legacy_stage', 'v7.workflow_complete'];

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

async function define(server: ServerProcess, payload: string, step: object): Promise<void> {
  const retry = { max_retries: 50, base_seconds: 0.1, max_seconds: 0.5 };
  const steps = [{ name: 'send', payload: '$request.payload', retry, ...step }];
  await admin(server, 'PUT', `/apps/demo/workflows/${payload}`, { version: '1.0', inputs: [], steps, outputs: [] });
  const sink = { path: `/${payload}`, method: 'POST', payload, workflow_id: payload, response: 'accept' };
  await admin(server, 'POST', '/apps/demo/sinks', sink);
}

interface ReceivedPart {
  name: string;
  filename: string;
  type: string;
  hash: string;
}

/** What arrived, as another reader of forms sees it. */
async function partsOf({ bytes, headers }: Arrival): Promise<ReceivedPart[]> {
  const form = await new Response(new Uint8Array(bytes), { headers: { 'content-type': headers['content-type'] as string } }).formData();
  return await Promise.all(
    [...form].map(async ([name, value]) => {
      const file = value as File;
      return { name, filename: file.name, type: file.type, hash: hashOf(new Uint8Array(await file.arrayBuffer())) };
    }),
  );
}

function sentParts(sample: Sample): ReceivedPart[] {
  if ('body' in sample) throw new Error(`${sample.kind} is no form`);
  return sample.parts.map(({ name, filename, contentType, bytes }) => ({
    name,
    filename: filename ?? '',
    type: contentType ?? '',
    hash: hashOf(bytes),
  }));
}

test('every field and every byte of every file is accounted for, across a kill -9', { timeout: 60_000 }, async () => {
  const dataDir = tempDir();
  const env = { SLUICE_OUTBOUND_ALLOW: '127.0.0.0/8' };
  const receiver = await startWebhookReceiver();
  await receiver.goAway();
  let server = await startServerProcess({ dataDir, env });
  await define(server, 'robovision', { type: 'robovision/camera_webhook@v1', url: `${receiver.url}/frame` });
  await define(server, 'v7', { type: 'v7/webhook_stage@v1', url: `${receiver.url}/item?target=sheet&row=1` });

  const sent = new Map<string, Sample>();
  for (const kind of [...CAMERA_KINDS, ...STAGE_KINDS]) {
    for (const image of [true, false]) {
      const sample = makeSample(kind, { seed: sent.size + 1, objects: 4, image, annotations: image });
      const response = await fetch(`${server.url}/demo/${kind.split('.')[0]}`, requestOf(sample));
      const answer = (await response.json()) as any;
      expect(response.status, JSON.stringify(answer)).toBe(202);
      sent.set(`${answer.run_id}:send`, sample);
    }
  }
  server.kill('SIGKILL');
  await server.exited;
  expect(receiver.arrivals).toEqual([]);
  await receiver.comeBack();
  server = await startServerProcess({ dataDir, env });

  await until('all to arrive', () => new Set(receiver.arrivals.map(({ key }) => key)).size === sent.size, 20_000);
  for (const arrival of receiver.arrivals) {
    const sample = sent.get(arrival.key) as Sample;
    expect(sample, arrival.key).toBeDefined();
    if ('body' in sample) {
      expect(arrival.target).toBe('/hook/item?target=sheet&row=1');
      expect(arrival.headers['content-type']).toBe('application/json');
      expect(hashOf(arrival.bytes), sample.kind).toBe(hashOf(sample.body));
    } else {
      expect(await partsOf(arrival), sample.kind).toEqual(sentParts(sample));
    }
  }
  const { deliveries } = await until('all to be on record', async () => {
    const page = await admin(server, 'GET', '/deliveries?status=delivered&limit=100');
    return page.deliveries.length === sent.size ? page : null;
  });
  expect(new Set(deliveries.map(({ run_id: runId }: { run_id: string }) => `${runId}:send`))).toEqual(new Set(sent.keys()));
});
