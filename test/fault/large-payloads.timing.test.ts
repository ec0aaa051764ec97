// Documents of tens of megabytes and forms with hundreds of files, through a whole server process: they are accepted and
// kept byte for byte, the memory that they take comes back, and other callers do not wait for them.

import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { onTestEnd } from '../support/cleanup.ts';
import { admin, defineFlow, triggerFlow } from '../support/remote-admin.ts';
import { startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { p99, rssMb, timed } from './measures.ts';

const MB = 2 ** 20;
const DOCUMENT_BYTES = 60 * MB;
const MASKS = 600;
const MOST_GROWTH_MB = 400;
const LEFT_MB = 100;
const P99_MS = 300;
const ROUNDS = 2;

/** Shapes as annotators of large images make them: a run-length encoded mask, and an outline. */
const MASK = `"raster_layer":{"dense_rle":[${Array.from({ length: 20_000 }, (_, at) => `${at % 2},${((at * 7919) % 900) + 1}`).join(',')}]}`;
const OUTLINE = `"polygon":{"paths":[[${Array.from({ length: 500 }, (_, at) => `{"x":${at * 1.37},"y":${at * 0.71}}`).join(',')}]]}`;

function darwinDocument(shape: string): Buffer {
  const annotation = (id: number): string => `{"id":"${id}","name":"leaf","slot_names":["0"],${shape}}`;
  const annotations: string[] = [];
  for (let size = 0; size < DOCUMENT_BYTES; size += shape.length) annotations.push(annotation(annotations.length));
  return Buffer.from(
    `{"version":"2.0","item":{"name":"field.tif","source_info":{"item_id":"i-1"}},"annotations":[${annotations.join(',')}]}`,
  );
}

/** Masks that differ, for content that came already would not be written again. */
async function frameWithMasks(): Promise<FormData> {
  const form = new FormData();
  const instances = Array.from({ length: MASKS }, (_, index) => ({ classId: 'leaf', confidence: 0.5, mask: maskName(index) }));
  for (const [index, { mask }] of instances.entries()) {
    const grey = Math.floor(index / 256) * 64 + (index % 64);
    const background = { r: grey, g: index % 256, b: 128 };
    const png = await sharp({ create: { width: 256, height: 256, channels: 3, background } })
      .png()
      .toBuffer();
    form.append(mask.slice(0, 9), new Blob([new Uint8Array(png)], { type: 'image/png' }), mask);
  }
  const document = JSON.stringify({ kind: 'InstanceSegmentation.v1', instances });
  form.append('predictions', new Blob([document], { type: 'application/json' }), 'predictions.json');
  return form;
}

const maskName = (index: number): string => `mask_${String(index).padStart(4, '0')}.png`;

test('are accepted, cost others little, and leave the memory as it was', { timeout: 120_000 }, async () => {
  const server = await startServerProcess({ dataDir: tempDir() });
  const values = { count: '$request.payload.predictions', document: '$request.payload.document' };
  const kept = { type: 'sluice/set@v1', name: 'kept', values: { document: values.document } };
  await defineFlow(server, 'quick', { steps: [{ type: 'sluice/set@v1', name: 'a', values: { a: 1 } }], response: 'wait' });
  await defineFlow(server, 'darwin', { steps: [kept], outputs: { document: '$steps.kept.document' }, response: 'wait' });
  const limits = { body_bytes: 100 * MB, files: 1000 };
  for (const payload of ['v7', 'robovision']) {
    await admin(server, 'POST', '/apps/demo/sinks', {
      path: `/${payload}`,
      method: 'POST',
      payload,
      workflow_id: 'darwin',
      response: 'wait',
      limits,
    });
  }
  const documents = [MASK, OUTLINE].map(darwinDocument);
  const form = await frameWithMasks();

  async function sendDocument(document: Buffer): Promise<void> {
    const sha256 = createHash('sha256').update(document).digest('hex');
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${server.url}/demo/v7`, { method: 'POST', headers, body: new Uint8Array(document) });
    const answer = (await response.json()) as any;
    expect(response.status, JSON.stringify(answer)).toBe(200);
    expect(answer.output.document).toMatchObject({ sha256, size: document.length });
  }

  async function sendFrame(): Promise<void> {
    const response = await fetch(`${server.url}/demo/robovision`, { method: 'POST', body: form });
    expect(response.status, await response.clone().text()).toBe(200);
    const { run_id: runId } = (await response.json()) as any;
    const { request } = await admin(server, 'GET', `/runs/${runId}`);
    expect(request.files).toHaveLength(MASKS + 1);
    expect(request.payload.masks.map(({ name }: { name: string }) => name)).toEqual(
      Array.from({ length: MASKS }, (_, index) => maskName(index)),
    );
  }

  const others: number[] = [];
  let isOver = false;
  async function callMeanwhile(): Promise<void> {
    while (!isOver) {
      others.push(await timed(async () => expect((await triggerFlow(server, 'quick')).status).toBe(200)));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  for (let count = 0; count < 100; count += 1) await triggerFlow(server, 'quick');
  const before = rssMb(server);
  let most = before;
  const watch = setInterval(() => {
    most = Math.max(most, rssMb(server));
  }, 10);
  onTestEnd(() => clearInterval(watch));
  const calling = callMeanwhile();
  const took: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const document of documents) took.push(await timed(() => sendDocument(document)));
    took.push(await timed(sendFrame));
  }
  isOver = true;
  await calling;
  const left = await until('the memory to come back', () => (rssMb(server) - before < LEFT_MB ? rssMb(server) : null), 30_000);

  process.stdout.write(
    `large payloads: ${ROUNDS} times 60 MB documents of masks, of outlines and forms of ${MASKS} masks in ${took.map(Math.round).join(', ')} ms; ` +
      `others' p99 of ${others.length} calls ${p99(others).toFixed(1)} ms; RSS ${Math.round(before)}, at most ${Math.round(most)}, then ${Math.round(left)} MB\n`,
  );
  expect(most - before).toBeLessThan(MOST_GROWTH_MB);
  expect(p99(others)).toBeLessThan(P99_MS);
});
