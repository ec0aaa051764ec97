// A received file is altered on the disk: a message or a step that reads it fails and says so, and a receiver never
// gets the wrong bytes as if they were right.

import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/start-app.ts';
import { until } from '../support/until.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';

const noise = { type: 'gaussian', mean: 128, sigma: 40 } as const;
const PHOTO = await sharp({ create: { width: 300, height: 200, channels: 3, background: 'black', noise } })
  .png()
  .toBuffer();
const HASH = createHash('sha256').update(PHOTO).digest('hex');

const sendsIt = (url: string): Record<string, unknown> => ({
  inputs: [{ type: 'WorkflowImage', name: 'photo' }],
  steps: [
    {
      type: 'roboflow_core/webhook_sink@v1',
      name: 'send',
      url,
      method: 'POST',
      multi_part_encoded_files: { photo: '$inputs.photo' },
      fire_and_forget: false,
      cooldown_seconds: 0,
    },
  ],
  outputs: [{ type: 'JsonField', name: 'failed', selector: '$steps.send.error_status' }],
});

const looksAtIt = {
  inputs: [{ type: 'WorkflowImage', name: 'photo' }],
  steps: [
    {
      type: 'roboflow_core/property_definition@v1',
      name: 'width',
      data: '$inputs.photo',
      operations: [{ type: 'ExtractImageProperty', property_name: 'width' }],
    },
  ],
  outputs: [{ type: 'JsonField', name: 'width', selector: '$steps.width.output' }],
};

/** An app whose workflow has had a photo once, and where that lies. */
async function startWithPhoto(workflow: Record<string, unknown>): Promise<{ app: TestApp; first: any; path: string }> {
  const app = await startTestApp({ settings: { outbound_allow: '127.0.0.0/8' } });
  await app.workflow('photos', workflow);
  await app.sink({ path: '/photo', workflow_id: 'photos', response: 'wait' });
  const form = new FormData();
  form.append('photo', new Blob([PHOTO], { type: 'image/png' }), 'photo.png');
  const first = await (await fetch(`${app.url}/shop/photo`, { method: 'POST', body: form })).json();
  return { app, first, path: join(app.dataDir, 'blobs', HASH.slice(0, 2), HASH) };
}

/** The same request again, to its end. */
async function replay(app: TestApp, runId: string): Promise<any> {
  const { body } = await app.admin('POST', `/runs/${runId}/replay`);
  return await until('the replay to end', async () => {
    const { body: run } = await app.admin('GET', `/runs/${body.run_id}`);
    return ['completed', 'failed'].includes(run.status) && run;
  });
}

function alterLastPixels(path: string): void {
  const bytes = Buffer.from(PHOTO);
  bytes[bytes.byteLength - 40] = (bytes.at(-40) as number) ^ 1;
  writeFileSync(path, bytes);
}

test('a file that was altered is not sent as what it was, and its delivery says why', async () => {
  const receiver = await startWebhookReceiver();
  const { app, first, path } = await startWithPhoto(sendsIt(receiver.url));
  expect(first.output).toEqual({ failed: false });
  alterLastPixels(path);
  const { run_id: runId, output } = await replay(app, first.run_id);
  expect(output).toEqual({ failed: true });
  const [{ delivery_id: id, status }] = (await app.admin('GET', `/deliveries?run_id=${runId}`)).body.deliveries;
  expect(status).toBe('failed');
  expect((await app.admin('GET', `/deliveries/${id}`)).body.attempts).toMatchObject([
    { kind: 'refused', error: 'a file of the message was altered on the disk (FILE_ALTERED), so that it is not sent' },
  ]);
  const [sent, torn] = receiver.arrivals;
  expect(Buffer.from(sent?.bytes ?? []).includes(PHOTO)).toBe(true);
  // What came of the other one is no whole request: the receiver knows that it was broken off.
  expect(torn?.bytes.byteLength ?? 0).toBeLessThan(Number(torn?.headers['content-length'] ?? 1));
});

test('a step that looks at an altered image fails, and says why', async () => {
  const { app, first, path } = await startWithPhoto(looksAtIt);
  expect(first.output).toEqual({ width: 300 });
  alterLastPixels(path);
  expect(await replay(app, first.run_id)).toMatchObject({
    status: 'failed',
    error: { step: 'width', message: expect.stringContaining('it was altered on the disk (FILE_ALTERED)') },
  });
});
