// Receivers that are slower than what is sent to them: what waits, what is dropped and what is sent, by the overflow policy
// of the step, with a real receiver that holds its answers.

import { expect, test } from 'vitest';
import type { Overflow } from '../../src/core/delivery/overflow.ts';
import { MAX_WIDTH } from '../../src/delivery/queue/origin-queue.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { sendingSteps } from '../support/sending-steps.ts';
import { shareApp } from '../support/shared-app.ts';
import { startTestApp, type TestApp } from '../support/start-app.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { type Arrival, startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts';
import { reaches } from './run-support.ts';

const ALLOWING = { stepTypes: sendingSteps, settings: { outbound_allow: '127.0.0.0/8' } };
const app = shareApp(ALLOWING);

/** A receiver that answers on demand, in the order of the messages. */
interface SlowReceiver extends WebhookReceiver {
  answer(status: number): void;
  bodies(): string[];
  arrived(count: number): Promise<Arrival>;
}

async function startSlowReceiver(): Promise<SlowReceiver> {
  const held: ((status: number) => void)[] = [];
  const statuses = new Map<Arrival, number>();
  const wait = async (arrival: Arrival): Promise<void> => {
    statuses.set(arrival, await new Promise<number>((resolve) => void held.push(resolve)));
  };
  const receiver = await startWebhookReceiver({ wait, status: (arrival) => statuses.get(arrival) ?? 200 });
  onTestEnd(() => {
    for (const answer of held) answer(200);
  });
  return {
    ...receiver,
    answer: (status) => held.shift()?.(status),
    bodies: () => receiver.arrivals.map(({ body }) => body),
    arrived: (count) => until(`message ${count}`, () => receiver.arrivals[count - 1]),
  };
}

let made = 0;

interface Flow {
  sinkId: string;
  /** Resolves to the run's id once the run is on disk. */
  send(frame: string, camera?: string): Promise<string>;
  deliveries(target?: TestApp): Promise<any[]>;
  /** Status by frame, as soon as it is so. */
  become(expected: Record<string, string>, target?: TestApp): Promise<void>;
}

/** A sink whose workflow sends each frame on. */
async function startFlow(target: TestApp, url: string, overflow: Overflow, fields: object = {}): Promise<Flow> {
  made += 1;
  const name = `flow${made}`;
  const inputs = ['frame', 'camera', 'url'].map((input) => ({ type: 'WorkflowParameter', name: input }));
  const retry = { max_retries: 3, base_seconds: 0 };
  const step = {
    type: 'test/send@v1',
    name: 'push',
    url: '$inputs.url',
    body: '$inputs.frame',
    background: true,
    retry,
    overflow,
    ...fields,
  };
  await target.workflow(name, { inputs, steps: [step] });
  const { id: sinkId } = await target.sink({ path: `/${name}`, workflow_id: name, response: 'accept' });
  const frames = new Map<string, string>();
  const flow: Flow = {
    sinkId,
    async send(frame, camera = 'a') {
      const response = await fetch(`${target.url}/shop/${name}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ frame, camera, url }),
      });
      const { run_id: runId } = (await response.json()) as { run_id: string };
      frames.set(runId, frame);
      return runId;
    },
    deliveries: async (from = target) => (await from.admin('GET', `/deliveries?sink_id=${sinkId}&limit=500`)).body.deliveries.reverse(),
    async become(expected, from = target) {
      let seen: unknown;
      await until('the deliveries', async () => {
        seen = Object.fromEntries((await flow.deliveries(from)).map(({ run_id: runId, status }) => [frames.get(runId), status]));
        return JSON.stringify(seen) === JSON.stringify(expected);
      }).catch(() => expect(seen).toEqual(expected));
    },
  };
  return flow;
}

const latestOfCamera = { policy: 'latest_wins', key: '$inputs.camera' } as const;

test('queue: everything waits, and everything is sent', async () => {
  const receiver = await startSlowReceiver();
  const { send, become } = await startFlow(app(), receiver.url, { policy: 'queue' });
  for (const frame of ['1', '2', '3']) await send(frame);
  await receiver.arrived(3);
  for (let answered = 0; answered < 3; answered += 1) receiver.answer(200);
  await become({ '1': 'delivered', '2': 'delivered', '3': 'delivered' });
});

test('latest_wins: while a frame of a camera is being sent only the newest one waits, and the others are dropped and counted', async () => {
  const receiver = await startSlowReceiver();
  const { send, become, deliveries } = await startFlow(app(), receiver.url, latestOfCamera);
  await send('1');
  await receiver.arrived(1);
  for (const frame of ['2', '3', '4']) await send(frame);
  await send('of another camera', 'b');
  await receiver.arrived(2);
  await become({ '1': 'sending', '2': 'dropped', '3': 'dropped', '4': 'queued', 'of another camera': 'sending' });
  receiver.answer(200);
  await receiver.arrived(3);
  receiver.answer(200);
  receiver.answer(200);
  await become({ '1': 'delivered', '2': 'dropped', '3': 'dropped', '4': 'delivered', 'of another camera': 'delivered' });
  expect(receiver.bodies()).toEqual(['1', 'of another camera', '4']);
  const [, second, third] = await deliveries();
  expect(second).toMatchObject({
    attempt_count: 0,
    next_attempt_at: null,
    finished_at: expect.stringMatching(/^\d{4}-/),
    dropped_reason: `superseded by ${third.delivery_id}`,
  });
});

test('latest_wins: a frame that failed is tried again only where no newer one waits', async () => {
  const receiver = await startSlowReceiver();
  const { send, become } = await startFlow(app(), receiver.url, latestOfCamera);
  await send('1');
  await receiver.arrived(1);
  receiver.answer(503);
  await receiver.arrived(2);
  await send('2');
  await become({ '1': 'sending', '2': 'queued' });
  receiver.answer(503);
  await receiver.arrived(3);
  receiver.answer(200);
  await become({ '1': 'dropped', '2': 'delivered' });
  expect(receiver.bodies()).toEqual(['1', '1', '2']);
});

test('latest_wins: a frame that is queued in memory yields to a newer one too', async () => {
  const receiver = await startSlowReceiver();
  const others = await startFlow(app(), receiver.url, { policy: 'queue' });
  await Promise.all(Array.from({ length: MAX_WIDTH }, () => others.send('other')));
  await receiver.arrived(MAX_WIDTH);
  const { send, become } = await startFlow(app(), receiver.url, latestOfCamera);
  await send('1');
  await become({ '1': 'sending' });
  await send('2');
  await become({ '1': 'dropped', '2': 'sending' });
  for (let answered = 0; answered < MAX_WIDTH; answered += 1) receiver.answer(200);
  await receiver.arrived(MAX_WIDTH + 1);
  receiver.answer(200);
  await become({ '1': 'dropped', '2': 'delivered' });
  expect(receiver.bodies()).not.toContain('1');
});

test('latest_wins: many at once end with the newest, and what was sent and what was dropped is all there was', async () => {
  const receiver = await startWebhookReceiver();
  const { send, deliveries } = await startFlow(app(), receiver.url, latestOfCamera);
  for (let round = 0; round < 5; round += 1) {
    await Promise.all(Array.from({ length: 20 }, (_, frame) => send(`${round}-${frame}`)));
  }
  const all = await until('all to be over', async () => {
    const now = await deliveries();
    return now.every(({ finished_at: at }) => at !== null) ? now : null;
  });
  expect(all).toHaveLength(100);
  expect(all.at(-1).status).toBe('delivered');
  const delivered = all.filter(({ status }) => status === 'delivered').map(({ run_id: runId }) => `${runId}:push`);
  expect(receiver.arrivals.map(({ key }) => key).sort()).toEqual(delivered.sort());
  expect(all.filter(({ status }) => status === 'dropped')).toHaveLength(100 - delivered.length);
});

test('reject: what comes while so many wait or are being sent is dropped, and says so', async () => {
  const receiver = await startSlowReceiver();
  const { send, become, deliveries } = await startFlow(app(), receiver.url, { policy: 'reject', limit: 2 });
  for (const frame of ['1', '2', '3']) await send(frame);
  await receiver.arrived(2);
  await become({ '1': 'sending', '2': 'sending', '3': 'dropped' });
  expect((await deliveries())[2]).toMatchObject({ dropped_reason: 'the receiver is behind: 2 wait' });
  receiver.answer(200);
  await become({ '1': 'delivered', '2': 'sending', '3': 'dropped' });
  await send('4');
  await receiver.arrived(3);
  receiver.answer(200);
  receiver.answer(200);
  await become({ '1': 'delivered', '2': 'delivered', '3': 'dropped', '4': 'delivered' });
});

test('a run that waits for a delivery that is dropped learns it, by either policy', async () => {
  const receiver = await startSlowReceiver();
  const rejecting = await startFlow(app(), receiver.url, { policy: 'reject', limit: 1 }, { background: false });
  const first = await rejecting.send('1');
  await receiver.arrived(1);
  const refused = await rejecting.send('2');
  expect((await reaches(app(), refused, 'failed')).error.message).toBe('the delivery failed: the receiver is behind: 1 wait');
  receiver.answer(200);
  await reaches(app(), first, 'completed');

  const latest = await startFlow(app(), receiver.url, latestOfCamera, { background: false });
  const runs: string[] = [await latest.send('1')];
  await receiver.arrived(2);
  for (const frame of ['2', '3']) runs.push(await latest.send(frame));
  const superseded = await reaches(app(), runs[1] as string, 'failed');
  expect(superseded.error.message).toMatch(/^the delivery failed: superseded by dlv_/);
  receiver.answer(503);
  await reaches(app(), runs[0] as string, 'failed');
  await receiver.arrived(3);
  receiver.answer(200);
  await reaches(app(), runs[2] as string, 'completed');
});

test('a dropped delivery can be retried by hand, unless a newer one of its key is pending', async () => {
  const receiver = await startSlowReceiver();
  const { send, become, deliveries, sinkId } = await startFlow(app(), receiver.url, latestOfCamera);
  await send('1');
  await receiver.arrived(1);
  for (const frame of ['2', '3']) await send(frame);
  await become({ '1': 'sending', '2': 'dropped', '3': 'queued' });
  const id = (await deliveries())[1].delivery_id;
  const refused = await app().admin('POST', `/deliveries/${id}/retry`);
  expect(refused).toMatchObject({
    status: 409,
    body: { error: { message: expect.stringContaining('a newer delivery with the same overflow key is pending') } },
  });
  receiver.answer(200);
  await receiver.arrived(2);
  receiver.answer(200);
  await become({ '1': 'delivered', '2': 'dropped', '3': 'delivered' });
  expect((await app().admin('POST', '/deliveries/retry', { sink_id: sinkId })).body.ids).toEqual([]);
  expect((await app().admin('POST', '/deliveries/retry', { sink_id: sinkId, status: 'dropped' })).body.ids).toEqual([id]);
  await receiver.arrived(3);
  receiver.answer(200);
  await become({ '1': 'delivered', '2': 'delivered', '3': 'delivered' });
  expect((await deliveries())[1]).toMatchObject({ dropped_reason: null, attempt_count: 1 });
});

test('a stop and a start in the midst lose none of the newest and send none that was dropped', async () => {
  const receiver = await startSlowReceiver();
  const dataDir = tempDir();
  const options = { ...ALLOWING, dataDir, settings: { ...ALLOWING.settings, drain_seconds: '0' } };
  const before = await startTestApp(options);
  const { send, become } = await startFlow(before, receiver.url, latestOfCamera);
  await send('1');
  await send('alone', 'b');
  await receiver.arrived(2);
  for (const frame of ['2', '3']) await send(frame);
  await become({ '1': 'sending', alone: 'sending', '2': 'dropped', '3': 'queued' });
  await before.close();
  const after = await startTestApp(options);
  await receiver.arrived(4);
  for (let answered = 0; answered < 4; answered += 1) receiver.answer(200);
  await become({ '1': 'dropped', alone: 'delivered', '2': 'dropped', '3': 'delivered' }, after);
  expect(receiver.bodies().slice(2).sort()).toEqual(['3', 'alone']);
});
