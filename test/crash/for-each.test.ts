// kill -9 in the midst of a list of 50 items that send: an item that has ended is not run again, and what an item sends arrives
// in the order of the list, under the key of that item and no other.

import { setTimeout as after } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { allFrames } from '../support/event-stream.ts';
import { admin, defineFlow, triggerFlow } from '../support/remote-admin.ts';
import { startServerProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { type Arrival, startWebhookReceiver } from '../support/webhook-receiver.ts';

const ITEMS = 50;
const KILLED_AT = [7, 20, 21, 38];

test('each of 50 items sends once, in order, across four kills', { timeout: 120_000 }, async () => {
  const receiver = await startWebhookReceiver({ wait: () => after(5) });
  const dataDir = tempDir();
  const env = { SLUICE_OUTBOUND_ALLOW: '127.0.0.0/8' };
  let server = await startServerProcess({ dataDir, env });
  const send = { type: 'sluice/http_request@v1', name: 'send', url: receiver.url, method: 'POST', json: { item: '$inputs.item' } };
  const pause = { type: 'sluice/delay@v1', name: 'pause', seconds: 0.01, on_success: ['$steps.after'] };
  const end = { type: 'sluice/set@v1', name: 'after', values: { item: '$inputs.item', status: '$steps.send.status' } };
  const each = {
    type: 'sluice/for_each@v1',
    name: 'each',
    items: '$inputs.list',
    parameter_bindings: { item: '$item' },
    workflow_definition: {
      version: '1.0',
      inputs: [{ type: 'WorkflowParameter', name: 'item' }],
      steps: [send, pause, end],
      outputs: [{ type: 'JsonField', name: 'item', selector: '$steps.after.item' }],
    },
  };
  await defineFlow(server, 'list', { steps: [each], inputs: ['list'], outputs: { results: '$steps.each.results' } });
  const list = Array.from({ length: ITEMS }, (_, index) => index);
  const { run_id: runId } = (await triggerFlow(server, 'list', { list })).body;
  for (const count of KILLED_AT) {
    await until(`${count} items to be sent`, () => new Set(receiver.arrivals.map(({ key }) => key)).size >= count);
    server.kill('SIGKILL');
    await server.exited;
    server = await startServerProcess({ dataDir, env });
  }
  const run = await until('the run to end', async () => {
    const found = await admin(server, 'GET', `/runs/${runId}`);
    return found.status === 'completed' ? found : null;
  });
  expect(run.output).toEqual({ results: list.map((item) => ({ item })) });

  const first = new Map<string, Arrival>();
  for (const arrival of receiver.arrivals) if (!first.has(arrival.key)) first.set(arrival.key, arrival);
  const keyOf = (item: number): string => `${runId}:each[].send${item === 0 ? '' : `:${item + 1}`}`;
  expect([...first].map(([key, { body }]) => [key, body])).toEqual(list.map((item) => [keyOf(item), JSON.stringify({ item })]));
  // A message is repeated only if its answer was cut off by a kill.
  expect(receiver.arrivals.length - ITEMS).toBeLessThanOrEqual(KILLED_AT.length);
  expect(receiver.arrivals.every(({ key, body }) => first.get(key)?.body === body)).toBe(true);

  const visitsOf = (name: string): number[] => run.steps.filter(({ step }: any) => step === name).map(({ visit = 1 }: any) => visit);
  for (const name of ['each[]', 'each[].send', 'each[].pause', 'each[].after']) expect(visitsOf(name)).toHaveLength(ITEMS);
  const frames = await allFrames(await fetch(`${server.url}/runs/${runId}/events`));
  expect(frames.flatMap(({ data }) => (data.step === 'each' ? [data.message] : []))).toEqual(
    list.map((item) => `item ${item + 1} of ${ITEMS}`),
  );
});
