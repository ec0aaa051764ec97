// Connections that say nothing: a browser that connected ahead, a client that stopped in the middle of a request.

import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { onTestEnd } from '../support/cleanup.ts';
import { startTestApp } from '../support/start-app.ts';

test('a connection without a request, or with half of one, does not keep the server from closing', async () => {
  const app = await startTestApp();
  await app.sink({ path: '/hook' });
  const closed: Promise<unknown>[] = [];
  for (const bytes of [
    '',
    'POST /shop/hook HTTP/1.1\r\nhost: x\r\n',
    'POST /shop/hook HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nhalf',
  ]) {
    const socket = connect(Number(new URL(app.url).port), '127.0.0.1');
    onTestEnd(() => void socket.destroy());
    await once(socket, 'connect');
    if (bytes !== '') await new Promise((sent) => socket.write(bytes, sent));
    socket.on('error', () => undefined).resume();
    closed.push(new Promise((resolve) => socket.once('close', resolve)));
  }
  const deadline = AbortSignal.timeout(5000);
  const late = once(deadline, 'abort').then(() => Promise.reject(new Error('the server did not close within 5 s')));
  await Promise.race([Promise.all([app.close(), ...closed]), late]);
  await expect(fetch(app.url)).rejects.toThrow();
});
