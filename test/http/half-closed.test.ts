// A client that closes its sending side behind the request and reads on, as `nc` does: it gets its answer.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { answerHalfClosed } from '../../src/http/half-closed.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { createGates, gatedWorkflow } from '../support/gates.ts';
import { sendRaw } from '../support/raw-http.ts';
import { shareApp } from '../support/shared-app.ts';

const gates = createGates();
const app = shareApp({ ...gates.options, settings: { drain_seconds: '0' } }, async (shared) => {
  await shared.sink({ path: '/stream' });
  await shared.sink({ path: '/accept', response: 'accept' });
  await shared.sink({ path: '/form' });
  for (const name of ['streamed', 'waited']) {
    await shared.workflow(name, gatedWorkflow(name, 1));
    await shared.sink({ path: `/${name}`, workflow_id: name, response: name === 'waited' ? 'wait' : 'stream' });
  }
});

function post(path: string, body = '{}', head = 'Content-Type: application/json'): string {
  return `POST /shop${path} HTTP/1.1\r\nHost: x\r\n${head}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

describe('a client that closes its sending side', () => {
  test('gets the stream of a run that ends at once', async () => {
    const answer = await sendRaw(app().url, post('/stream'), { thenEnd: true });
    expect(answer.status).toBe(200);
    expect(answer.body).toContain('"type":"complete"');
  });

  test('gets 202, and an error, as anybody does', async () => {
    expect((await sendRaw(app().url, post('/accept'), { thenEnd: true })).status).toBe(202);
    expect((await sendRaw(app().url, post('/nothing'), { thenEnd: true })).status).toBe(404);
    expect((await sendRaw(app().url, post('/accept', '{'), { thenEnd: true })).status).toBe(400);
  });

  test('gets the answer to a form', async () => {
    const form = '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--\r\n';
    const answer = await sendRaw(app().url, post('/form', form, 'Content-Type: multipart/form-data; boundary=b'), { thenEnd: true });
    expect(answer.body).toContain('"type":"complete"');
  });

  for (const name of ['streamed', 'waited']) {
    test(`gets what comes later, too: a run that is ${name}`, async () => {
      const answer = sendRaw(app().url, post(`/${name}`), { thenEnd: true });
      await gates.reached(`${name}1`);
      // An answer to another client shows that the server has seen this one's end by now.
      await sendRaw(app().url, post('/accept'), { thenEnd: true });
      gates.open(`${name}1`);
      expect((await answer).body).toContain('{"done":true}');
    });
  }

  test('gets the answers of all requests that it sent at once, and the connection ends behind them', async () => {
    const { text } = await sendRaw(app().url, post('/accept').repeat(3), { thenEnd: true, untilClosed: true });
    expect(text.match(/HTTP\/1\.1 202 /g)).toHaveLength(3);
  });

  test('is told that half a request is none', async () => {
    for (const cut of [post('/accept').slice(0, -1), post('/accept').slice(0, 30)]) {
      expect((await sendRaw(app().url, cut, { thenEnd: true })).status).toBe(400);
    }
  });

  test('is let go when nothing can be sent to it for too long', async () => {
    const server = createServer((_request, response) => void response.write('a beginning'));
    answerHalfClosed(server, 50);
    server.listen(0, '127.0.0.1');
    onTestEnd(() => void server.close());
    await once(server, 'listening');
    const socket = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true });
    onTestEnd(() => void socket.destroy());
    socket.end('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    socket.resume();
    const closed = new Promise((resolve) => socket.once('close', resolve).once('error', resolve));
    await closed;
  });
});
