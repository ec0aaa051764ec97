// A camera at 50 frames a second and a receiver that takes two seconds for each: triggers are answered as with a receiver
// that answers at once, and the step decides the end of each frame, to the last one.

import { setTimeout as after } from 'node:timers/promises';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { admin } from '../support/remote-admin.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { memoryDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { type Arrival, startWebhookReceiver } from '../support/webhook-receiver.ts';
import { p99, timed } from './measures.ts';

const FRAMES_A_SECOND = 50;
const SECONDS = 15;
const FRAMES = FRAMES_A_SECOND * SECONDS;
const ANSWERS_AFTER_MS = 2000;
/** On a slow machine, twice the time with a receiver that answers at once, once the server has compiled its code. */
const P99_MS = 50;
const QUICK_FRAMES = 250;
const WARM_UP_A_SECOND = 200;
const CAMERAS = 5;

interface Sent {
  camera: string;
  frame: number;
  deliveryId: string;
}

const jpeg = await sharp({ create: { width: 320, height: 240, channels: 3, background: '#7a4' } })
  .jpeg()
  .toBuffer();

function frameForm(frame: number): FormData {
  const document = JSON.stringify({ kind: 'ObjectDetection.v1', frame, objects: [] });
  const form = new FormData();
  form.append('image', new Blob([new Uint8Array(jpeg)], { type: 'image/jpeg' }), 'image.jpeg');
  form.append('predictions', new Blob([document], { type: 'application/json' }), 'predictions.json');
  return form;
}

/** The number that the frame was sent with: its document arrives as it was. */
const frameOf = ({ body }: Arrival): number => Number(/"frame":(\d+)/.exec(body)?.[1]);

async function defineCameras(server: ServerProcess, name: string, url: string, overflow: object): Promise<void> {
  const step = { type: 'robovision/camera_webhook@v1', name: 'forward', url, payload: '$request.payload', ...overflow };
  const outputs = [{ type: 'JsonField', name: 'delivery_id', selector: '$steps.forward.delivery_id' }];
  await admin(server, 'PUT', `/apps/cameras/workflows/${name}`, { version: '1.0', inputs: [], steps: [step], outputs });
  await admin(server, 'POST', '/apps/cameras/sinks', {
    path: `/${name}/:camera`,
    method: 'POST',
    payload: 'robovision',
    workflow_id: name,
    response: 'wait',
  });
}

/** Each frame when it is due, whether or not those before it are answered. */
async function film(
  server: ServerProcess,
  name: string,
  { frames = FRAMES, aSecond = FRAMES_A_SECOND } = {},
): Promise<{ sent: Sent[]; times: number[] }> {
  const sent: Sent[] = [];
  const times: number[] = [];
  const began = performance.now();
  const requests: Promise<unknown>[] = [];
  for (let frame = 0; frame < frames; frame += 1) {
    await after(Math.max(0, began + (frame * 1000) / aSecond - performance.now()));
    const camera = `camera-${frame % CAMERAS}`;
    const post = async (): Promise<void> => {
      const response = await fetch(`${server.url}/cameras/${name}/${camera}`, { method: 'POST', body: frameForm(frame) });
      const answer = (await response.json()) as any;
      expect(response.status, JSON.stringify(answer)).toBe(200);
      sent.push({ camera, frame, deliveryId: answer.output.delivery_id });
    };
    requests.push(timed(post).then((ms) => times.push(ms)));
  }
  await Promise.all(requests);
  return { sent, times };
}

/** By id, all deliveries of the sinks of this workflow. */
async function statuses(server: ServerProcess, sent: readonly Sent[]): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  let cursor = '';
  do {
    const page = await admin(server, 'GET', `/deliveries?app_id=cameras&limit=500${cursor}`);
    for (const { delivery_id: id, status } of page.deliveries) found.set(id, status);
    cursor = page.next_cursor === null ? '' : `&cursor=${page.next_cursor}`;
  } while (cursor !== '');
  return new Map(sent.map(({ deliveryId }) => [deliveryId, found.get(deliveryId) ?? 'unknown']));
}

const count = (values: Iterable<string>, wanted: string): number => [...values].filter((value) => value === wanted).length;

test('no frame is lost under `queue`, and under `latest_wins` only the newest of each camera waits', { timeout: 200_000 }, async () => {
  const server = await startServerProcess({ dataDir: memoryDir(), env: { SLUICE_OUTBOUND_ALLOW: '127.0.0.0/8', SLUICE_RATE_LIMIT: '0' } });
  const slow = { wait: () => after(ANSWERS_AFTER_MS) };
  const [patient, impatient] = [await startWebhookReceiver(slow), await startWebhookReceiver(slow)];
  const quick = await startWebhookReceiver();
  const waits = { request_timeout: 30 };
  await defineCameras(server, 'quick', quick.url, { ...waits, overflow: 'queue' });
  await defineCameras(server, 'queue', patient.url, { ...waits, overflow: 'queue' });
  await defineCameras(server, 'latest', impatient.url, { ...waits, overflow: 'latest_wins', overflow_key: '$request.params.camera' });

  // What the first frames wait for is the server, and not this process, which has never sent a form.
  await fetch(`${server.url}/cameras/none`, { method: 'POST', body: frameForm(0) });
  await film(server, 'quick', { frames: QUICK_FRAMES, aSecond: WARM_UP_A_SECOND });
  const quickP99 = p99((await film(server, 'quick', { frames: QUICK_FRAMES })).times);
  const limitMs = Math.max(P99_MS, 2 * quickP99);
  const queued = await film(server, 'queue');
  const latest = await film(server, 'latest');

  const isAnyOpen = async (): Promise<boolean> => {
    const pages = ['queued', 'sending'].map((status) => admin(server, 'GET', `/deliveries?app_id=cameras&status=${status}&limit=1`));
    return (await Promise.all(pages)).some(({ deliveries }) => deliveries.length > 0);
  };
  await until('every frame that waits to arrive', async () => !(await isAnyOpen()), 90_000);
  const [ofQueue, ofLatest] = [await statuses(server, queued.sent), await statuses(server, latest.sent)];

  process.stdout.write(
    `slow camera: ${FRAMES} frames at ${FRAMES_A_SECOND} a second; trigger p99 ${p99(queued.times).toFixed(1)} ms under queue, ` +
      `${p99(latest.times).toFixed(1)} ms under latest_wins, ${quickP99.toFixed(1)} ms with a quick receiver; ${patient.arrivals.length} and ${impatient.arrivals.length} arrived, ` +
      `${count(ofLatest.values(), 'dropped')} dropped\n`,
  );

  expect(count(ofQueue.values(), 'delivered')).toBe(FRAMES);
  expect(patient.arrivals.map(frameOf).toSorted((a, b) => a - b)).toEqual(Array.from({ length: FRAMES }, (_, frame) => frame));

  const delivered = latest.sent.filter(({ deliveryId }) => ofLatest.get(deliveryId) === 'delivered').map(({ frame }) => frame);
  expect(impatient.arrivals.map(frameOf).toSorted((a, b) => a - b)).toEqual(delivered.toSorted((a, b) => a - b));
  expect(count(ofLatest.values(), 'dropped') + delivered.length).toBe(FRAMES);
  for (let camera = 0; camera < CAMERAS; camera += 1) {
    const frames = impatient.arrivals.map(frameOf).filter((frame) => frame % CAMERAS === camera);
    expect(frames).toEqual(frames.toSorted((a, b) => a - b));
    expect(frames.at(-1), `the newest of camera-${camera}`).toBe(FRAMES - CAMERAS + camera);
    // One at a time: each is on its way for two seconds.
    expect(frames.length).toBeLessThanOrEqual((SECONDS * 1000) / ANSWERS_AFTER_MS + 2);
  }
  expect(p99(queued.times)).toBeLessThan(limitMs);
  expect(p99(latest.times)).toBeLessThan(limitMs);
});
