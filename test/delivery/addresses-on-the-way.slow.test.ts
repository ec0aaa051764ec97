// The address policy in a whole server: a delivery to an address that is not allowed ends as one refused attempt that
// says why, no connection is tried, and what the operator allows is sent.

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { describe, expect, test } from 'vitest';
import { onTestEnd } from '../support/cleanup.ts';
import { shareApp } from '../support/shared-app.ts';
import type { TestApp } from '../support/start-app.ts';
import { startReceiver } from './hostile-receiver.ts';
import { ODD_HOSTS, REFUSED_ADDRESSES } from './refused-addresses.ts';

/** Every address that a socket of this process tries to connect to from now on, but for the server's own port. */
function watchConnections(app: TestApp): string[] {
  const tried: string[] = [];
  const own = Number(new URL(app.url).port);
  const onSocket = (message: unknown): void => {
    (message as { socket: Socket }).socket.on('connectionAttempt', (address: string, port: number) => {
      if (port !== own) tried.push(`${address} ${port}`);
    });
  };
  subscribe('net.client.socket', onSocket);
  onTestEnd(() => void unsubscribe('net.client.socket', onSocket));
  return tried;
}

interface Delivery {
  status: string;
  attempts: { attempt: number; kind: string; error: string | null; status: number | null }[];
}

interface Sent {
  output: { failed: boolean; message: string };
  delivery: Delivery;
}

async function prepare(app: TestApp): Promise<void> {
  const step = { type: 'roboflow_core/webhook_sink@v1', name: 'hook', method: 'POST', url: '$inputs.url', fire_and_forget: false };
  await app.workflow('send', {
    inputs: [{ type: 'WorkflowParameter', name: 'url' }],
    steps: [{ ...step, cooldown_seconds: 0, request_timeout: 5 }],
    outputs: ['error_status', 'message'].map((name) => ({ type: 'JsonField', name, selector: `$steps.hook.${name}` })),
  });
  await app.sink({ path: '/send', workflow_id: 'send', response: 'wait' });
}

const strict = shareApp({}, prepare);
const allowing = shareApp({ settings: { outbound_allow: '127.0.0.1' } }, prepare);

/** Lets a run send to each of the addresses, one after the other, and tells what came of each. */
async function sendTo(app: TestApp, urls: readonly string[]): Promise<Sent[]> {
  const sent: Sent[] = [];
  for (const url of urls) {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${app.url}/shop/send`, { method: 'POST', headers, body: JSON.stringify({ url }) });
    const { run_id: runId, output } = (await response.json()) as any;
    const { body: list } = await app.admin('GET', `/deliveries?run_id=${runId}`);
    expect(list.deliveries, url).toHaveLength(1);
    const { body: delivery } = await app.admin('GET', `/deliveries/${list.deliveries[0].delivery_id}`);
    sent.push({ output: { failed: output.error_status, message: output.message }, delivery });
  }
  return sent;
}

function expectRefused({ output, delivery }: Sent, reason: RegExp): void {
  expect(delivery).toMatchObject({ status: 'failed', attempts: [{ attempt: 1, kind: 'refused', status: null }] });
  expect(delivery.attempts).toHaveLength(1);
  expect(delivery.attempts[0]?.error).toMatch(reason);
  expect(output).toEqual({
    failed: true,
    message: `Failed to send webhook notification. Internal error details: ${delivery.attempts[0]?.error}`,
  });
}

const NOT_ALLOWED = /^.+ is not a public address \([a-z0-9 ]+\), and SLUICE_OUTBOUND_ALLOW does not name it$/;

describe('without an allowance', () => {
  test('a delivery to any address inside, however it is written, is refused before a connection is tried', async () => {
    const app = strict();
    const tried = watchConnections(app);
    const { port } = new URL(app.url);
    const hosts = REFUSED_ADDRESSES.map(([address]) => (address.includes(':') ? `[${address}]` : address));
    const urls = [...hosts, ...ODD_HOSTS.map(([host]) => host)].map((host) => `http://${host}:${port}/`).filter((url) => URL.canParse(url));
    expect(urls.length).toBeGreaterThan(70);
    for (const sent of await sendTo(app, urls)) expectRefused(sent, NOT_ALLOWED);
    expect(tried).toEqual([]);
  });

  test('nor to a name that resolves inside, and the reason names both', async () => {
    const app = strict();
    const tried = watchConnections(app);
    for (const name of ['localhost', 'LOCALHOST', hostname()]) {
      for (const sent of await sendTo(app, [`http://${name}:${new URL(app.url).port}/`])) {
        expectRefused(
          sent,
          new RegExp(`^${name.toLowerCase()} resolves to an address that is refused: [0-9a-f.:]+ is not a public address`),
        );
      }
    }
    expect(tried).toEqual([]);
  });
});

describe('with an allowance', () => {
  test('what it names is sent to, by address and by name, and what it does not name is refused', async () => {
    const receiver = await startReceiver();
    const app = allowing();
    const tried = watchConnections(app);
    const [byAddress, byName, other] = await sendTo(app, [
      `${receiver.url}/ok`,
      `http://localhost:${receiver.port}/ok`,
      'http://127.0.0.2/',
    ]);
    for (const sent of [byAddress, byName]) {
      expect(sent?.delivery).toMatchObject({ status: 'delivered', attempts: [{ kind: 'response', status: 200 }] });
    }
    expectRefused(other as Sent, NOT_ALLOWED);
    expect([...new Set(tried)]).toEqual([`127.0.0.1 ${receiver.port}`]);
  });

  test.each<[string, (port: number) => string]>([
    ['a private address', () => 'http://10.0.0.1/latest'],
    ['the metadata address', () => 'http://169.254.169.254/latest/meta-data/'],
    ['another loopback address, where somebody listens', (port) => `http://127.0.0.2:${port}/ok`],
    ['the IPv6 loopback address', (port) => `http://[::1]:${port}/ok`],
    ['the allowed address inside an IPv6 one that is not', (port) => `http://[64:ff9b::127.0.0.1]:${port}/ok`],
    ['an address without a scheme', () => '//10.0.0.1/'],
  ])('a redirect from it to %s is refused, and no connection is tried there', async (_what, target) => {
    const receiver = await startReceiver();
    let visits = 0;
    const inside = createServer(() => {
      visits += 1;
    }).listen(0, '127.0.0.2');
    await once(inside, 'listening');
    onTestEnd(() => void inside.close());
    const app = allowing();
    const tried = watchConnections(app);
    const to = encodeURIComponent(target((inside.address() as AddressInfo).port));
    for (const code of [301, 302, 303, 307, 308]) {
      for (const sent of await sendTo(app, [`${receiver.url}/redirect?code=${code}&to=${to}`])) expectRefused(sent, NOT_ALLOWED);
    }
    expect(receiver.requests).toHaveLength(5);
    expect([...new Set(tried)]).toEqual([`127.0.0.1 ${receiver.port}`]);
    expect(visits).toBe(0);
  });

  test.each(['file:///etc/passwd', 'gopher://127.0.0.1:6379/_', 'data:text/plain,x', 'javascript:alert(1)'])(
    'a redirect from it to %s is refused for its scheme',
    async (target) => {
      const receiver = await startReceiver();
      const app = allowing();
      const [sent] = await sendTo(app, [`${receiver.url}/redirect?code=302&to=${encodeURIComponent(target)}`]);
      expectRefused(sent as Sent, /^the URL begins with [a-z]+: and must begin with http: or https:$/);
    },
  );
});
