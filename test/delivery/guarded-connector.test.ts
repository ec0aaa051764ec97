// The guarded connector: no connection is opened to an address that the policy refuses, whatever names say and however
// often they change their mind.

import type { LookupAddress } from 'node:dns';
import { connect, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, type MockInstance, test, vi } from 'vitest';
import { onTestEnd } from '../support/cleanup.ts';
import { silentAddress } from '../support/silent-address.ts';
import { selfSigned } from './certificate.ts';
import { startReceiver } from './hostile-receiver.ts';
import { attempt, openSender, post } from './http-sender.ts';
import { ODD_HOSTS, REFUSED_ADDRESSES } from './refused-addresses.ts';

const PUBLIC = '93.184.215.14';

function answering(...answers: string[][]): { lookup: (hostname: string) => Promise<LookupAddress[]>; names: string[] } {
  const names: string[] = [];
  return {
    names,
    async lookup(hostname) {
      names.push(hostname);
      const addresses = answers[Math.min(names.length, answers.length) - 1] as string[];
      return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    },
  };
}

const neverAsked = { lookup: () => Promise.reject(new Error('a literal address was looked up')) };

describe('no socket is opened', () => {
  let opened: MockInstance<Socket['connect']>;
  beforeEach(() => {
    opened = vi.spyOn(Socket.prototype, 'connect');
  });
  afterEach(() => opened.mockRestore());

  async function refusalOf(url: string, options: Parameters<typeof openSender>[0]): Promise<string> {
    const result = await openSender({ allowed: [], ...options }).send(post(url), attempt());
    expect(opened).not.toHaveBeenCalled();
    expect(result).toEqual({ kind: 'refused', reason: expect.stringContaining('SLUICE_OUTBOUND_ALLOW') });
    return (result as { reason: string }).reason;
  }

  for (const [host, address] of ODD_HOSTS) {
    test(`for http://${host}/, which is ${address}`, async () => {
      expect(await refusalOf(`http://${host}/`, neverAsked)).toContain(`${address} is not`);
      expect(await refusalOf(`https://${host}:8443/`, neverAsked)).toContain(`${address} is not`);
    });
  }

  for (const [address, kind] of REFUSED_ADDRESSES) {
    test(`for a name that resolves to ${address} (${kind})`, async () => {
      const { lookup, names } = answering([address]);
      const reason = await refusalOf('http://inner.example/', { lookup });
      expect(reason).toMatch(/^inner\.example resolves to an address that is refused: /);
      expect(reason).toContain(address);
      expect(names).toEqual(['inner.example']);
    });
  }

  test('when one address of many is refused, in whatever place', async () => {
    for (const addresses of [
      [PUBLIC, '10.0.0.1'],
      ['10.0.0.1', PUBLIC],
      [PUBLIC, '2606:4700::1', '::ffff:10.0.0.1'],
    ]) {
      expect(await refusalOf('http://mixed.example/', answering(addresses))).toContain('10.0.0.1 is not');
    }
  });

  test('for a name without any address', async () => {
    const result = await openSender(answering([])).send(post('http://nothing.example/'), attempt());
    expect(result).toEqual({ kind: 'network', code: 'ENOTFOUND', reason: 'nothing.example has no address' });
    expect(opened).not.toHaveBeenCalled();
  });

  test('for a name that cannot be resolved, and the resolver is quoted', async () => {
    const lookup = () => Promise.reject(Object.assign(new Error('getaddrinfo EAI_AGAIN far.example'), { code: 'EAI_AGAIN' }));
    const result = await openSender({ lookup }).send(post('http://far.example/'), attempt());
    expect(result).toEqual({ kind: 'network', code: 'EAI_AGAIN', reason: 'getaddrinfo EAI_AGAIN far.example' });
    expect(opened).not.toHaveBeenCalled();
  });
});

test('a name is looked up once a connection, and the connection goes to the address that was checked', async () => {
  const receiver = await startReceiver();
  const { lookup, names } = answering([PUBLIC], ['127.0.0.1']);
  const opened: string[] = [];
  const openSocket = (address: string): Socket => {
    opened.push(address);
    return connect(receiver.port, '127.0.0.1');
  };
  const sender = openSender({ lookup, openSocket, connectionsPerOrigin: 1 });
  for (let count = 0; count < 3; count++) {
    expect(await sender.send(post('http://rebinding.example/ok'), attempt())).toMatchObject({ status: 200 });
  }
  expect(names).toEqual(['rebinding.example']);
  expect(opened).toEqual([PUBLIC]);
});

test('a name that turns to an inner address later is refused at the next connection', async () => {
  const receiver = await startReceiver();
  const { lookup, names } = answering(['127.0.0.1'], ['10.0.0.1']);
  const sender = openSender({ lookup, connectionsPerOrigin: 1 });
  const url = `http://rebinding.example:${receiver.port}`;
  expect(await sender.send(post(`${url}/status?code=200`), attempt())).toMatchObject({ status: 200 });
  expect(await sender.send(post(`${url}/close`), attempt())).toMatchObject({ kind: 'network' });
  expect(await sender.send(post(`${url}/ok`), attempt())).toMatchObject({ kind: 'refused' });
  expect(names).toHaveLength(2);
  expect(receiver.requests.map(({ target }) => target)).toEqual(['/status?code=200', '/close']);
});

test('a socket whose other end is not where it was to go is closed before a byte is sent', async () => {
  const receiver = await startReceiver();
  const sockets: Socket[] = [];
  const openSocket = (): Socket => {
    const socket = connect(receiver.port, '127.0.0.1');
    sockets.push(socket);
    return socket;
  };
  const result = await openSender({ ...answering([PUBLIC]), openSocket, allowed: [] }).send(post('http://far.example/ok'), attempt());
  expect(result).toEqual({ kind: 'refused', reason: expect.stringContaining('127.0.0.1 is not') });
  expect(sockets.map((socket) => [socket.destroyed, socket.bytesWritten])).toEqual([[true, 0]]);
  expect(receiver.requests).toEqual([]);
});

test('the next address is tried when one refuses the connection', async () => {
  const receiver = await startReceiver();
  const sender = openSender(answering(['127.0.0.2', '127.0.0.3', '127.0.0.1']));
  expect(await sender.send(post(`http://some.example:${receiver.port}/ok`), attempt())).toMatchObject({ status: 200 });
});

test('an address that does not answer leaves time for those after it', async () => {
  const receiver = await startReceiver();
  const silent = new Socket();
  onTestEnd(() => void silent.destroy());
  const openSocket = (address: string): Socket => (address === '127.0.0.2' ? silent : connect(receiver.port, address));
  const sender = openSender({ ...answering(['127.0.0.2', '127.0.0.1']), openSocket });
  expect(await sender.send(post('http://some.example/ok', { timeoutMs: 600 }), attempt())).toMatchObject({ status: 200 });
  expect(silent.destroyed).toBe(true);
});

test('a connection that is refused everywhere is the system error of the last address', async () => {
  const url = await silentAddress();
  const result = await openSender().send(post(url), attempt());
  expect(result).toEqual({ kind: 'network', code: 'ECONNREFUSED', reason: `connect ECONNREFUSED ${url.slice('http://'.length)}` });
});

test.each([
  ['a lookup that never ends', { lookup: () => new Promise<never>(() => undefined) }],
  ['a socket that never connects', { ...answering(['127.0.0.1']), openSocket: () => new Socket() }],
])('%s is a timeout of the connection', async (_, options) => {
  const result = await openSender(options).send(post('http://slow.example/', { timeoutMs: 60 }), attempt());
  expect(result).toEqual({ kind: 'timeout', phase: 'connect' });
});

describe('over TLS', () => {
  const certificate = selfSigned(['receiver.example', '127.0.0.1']);
  const { lookup } = answering(['127.0.0.1']);

  test('the certificate is checked against the name in the URL, although the connection goes to an address', async () => {
    const receiver = await startReceiver(certificate);
    const sender = openSender({ lookup, ca: certificate.cert });
    expect(await sender.send(post(`https://receiver.example:${receiver.port}/ok`), attempt())).toMatchObject({ status: 200 });
    expect(await sender.send(post(`https://127.0.0.1:${receiver.port}/ok`), attempt())).toMatchObject({ status: 200 });
    expect(await sender.send(post(`https://other.example:${receiver.port}/ok`), attempt())).toMatchObject({
      kind: 'network',
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
  });

  test('the receiver is told the name', async () => {
    const names: string[] = [];
    const SNICallback = (name: string, done: (error: null) => void): void => {
      names.push(name);
      done(null);
    };
    const receiver = await startReceiver({ ...certificate, SNICallback });
    await openSender({ lookup, ca: certificate.cert }).send(post(`https://receiver.example:${receiver.port}/ok`), attempt());
    expect(names).toEqual(['receiver.example']);
  });

  test('a certificate of unknown origin is refused', async () => {
    const receiver = await startReceiver(certificate);
    const result = await openSender({ lookup }).send(post(`https://receiver.example:${receiver.port}/ok`), attempt());
    expect(result).toEqual({ kind: 'network', code: 'DEPTH_ZERO_SELF_SIGNED_CERT', reason: 'self-signed certificate' });
    expect(receiver.requests).toEqual([]);
  });

  test('a receiver that speaks no TLS is a network error in one line', async () => {
    const receiver = await startReceiver();
    const result = await openSender().send(post(`https://127.0.0.1:${receiver.port}/ok`), attempt());
    expect(result).toMatchObject({ kind: 'network', reason: expect.stringMatching(/^[\w ]+$/) });
  });
});
