// The connections of the sender: kept and used again, bounded by origin and in number, closed in the end.

import { expect, test } from 'vitest';
import { startReceiver } from './hostile-receiver.ts';
import { attempt, openSender, post } from './http-sender.ts';

test('connections are kept, up to the bound of the origin, and requests beyond it wait', async () => {
  const receiver = await startReceiver();
  const sender = openSender({ connectionsPerOrigin: 3 });
  const results = await Promise.all(Array.from({ length: 40 }, () => sender.send(post(`${receiver.url}/ok`), attempt())));
  expect(results.every((result) => result.kind === 'response' && result.status === 200)).toBe(true);
  expect(receiver.requests).toHaveLength(40);
  expect(receiver.connections()).toBe(3);
});

test('origins beyond the bound take the place of others, and lose nothing that is being sent', async () => {
  const receivers = await Promise.all(Array.from({ length: 5 }, () => startReceiver()));
  const sender = openSender({ maxOrigins: 2 });
  const urls = [...receivers, ...receivers].map(({ url }) => `${url}/ok`);
  const results = await Promise.all(urls.map((url) => sender.send(post(url), attempt())));
  expect(results.map((result) => result.kind === 'response' && result.status)).toEqual(urls.map(() => 200));
});

test('after close nothing is sent', async () => {
  const receiver = await startReceiver();
  const sender = openSender();
  await sender.send(post(`${receiver.url}/ok`), attempt());
  await sender.close();
  expect(await sender.send(post(`${receiver.url}/ok`), attempt())).toMatchObject({ kind: 'network', code: 'ABORTED' });
  expect(receiver.requests).toHaveLength(1);
});
