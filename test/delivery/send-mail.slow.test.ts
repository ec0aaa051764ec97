// Mail over SMTP: what the server gets, encrypted where it can be, and what its answers become.

import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { Readable } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { parseOutboundAllow } from '../../src/config/config-values.ts';
import type { MailMessage } from '../../src/core/delivery/outbound.ts';
import { createAddressPolicy } from '../../src/delivery/address-policy.ts';
import { createDial, type DialOptions } from '../../src/delivery/guarded-connector.ts';
import { createMailSender, type MailSender, type MailSenderOptions } from '../../src/delivery/mail/send-mail.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { selfSigned } from './certificate.ts';
import { attempt, LOOPBACK } from './http-sender.ts';
import { startMailServer } from './mail-server.ts';

type Options = Partial<Omit<MailSenderOptions, 'dial'>> & Partial<Omit<DialOptions, 'policy'>> & { allowed?: readonly string[] };

function openMailSender({ allowed = LOOPBACK, ...options }: Options = {}): MailSender {
  const dial = createDial({ ...options, policy: createAddressPolicy(parseOutboundAllow(allowed.join(','))) });
  return createMailSender({ dial, openBlob: () => Readable.from([]), ...options });
}

function mail(port: number, changed: Partial<MailMessage> = {}): MailMessage {
  return {
    transport: 'smtp',
    host: '127.0.0.1',
    port,
    user: '',
    password: '',
    from: 'Sluice <sluice@sender.example>',
    to: ['a@receiver.example'],
    cc: [],
    bcc: [],
    subject: 'Hello',
    text: 'Some text',
    html: null,
    attachments: [],
    timeoutMs: 5000,
    ...changed,
  };
}

async function sent(changed: Partial<MailMessage> = {}, options: Options = {}) {
  const server = await startMailServer();
  const result = await openMailSender(options).send(mail(server.port, changed), attempt());
  return { result, server, taken: server.mails[0] };
}

describe('a mail', () => {
  test('comes with its sender, all recipients, subject, text, and the time of the attempt', async () => {
    const { result, taken, server } = await sent({ cc: ['c@receiver.example'], bcc: ['b@receiver.example'], subject: 'Grüße' });
    expect(result).toMatchObject({
      kind: 'response',
      status: 250,
      url: `smtp://127.0.0.1:${server.port}`,
      headers: {},
      isTruncated: false,
    });
    expect(result).toMatchObject({ reason: expect.stringMatching(/^250 /) });
    expect(taken).toMatchObject({ from: 'sluice@sender.example', to: ['a@receiver.example', 'c@receiver.example', 'b@receiver.example'] });
    expect(taken?.content).toContain('Subject: =?UTF-8?');
    expect(taken?.content).toContain('Some text');
    expect(taken?.content).toContain('Date: Tue, 14 Nov 2023 22:13:20 +0000');
    expect(taken?.content).not.toContain('b@receiver.example');
  });

  test('has the same Message-ID in every attempt of a delivery', async () => {
    const server = await startMailServer();
    for (const count of [1, 2]) await openMailSender().send(mail(server.port), attempt({ attempt: count }));
    const ids = server.mails.map(({ content }) => /^Message-ID: (.*)\r$/m.exec(content)?.[1]);
    expect(ids).toEqual(['<dlv_1@sender.example>', '<dlv_1@sender.example>']);
  });

  test('of HTML shows a file of the store where it says so, and carries others beside it', async () => {
    const opened: string[] = [];
    const openBlob = (sha256: string): Readable => {
      opened.push(sha256);
      return Readable.from([Buffer.from('image '), Buffer.from('bytes')]);
    };
    const attachments = [
      { filename: 'logo.png', content: { sha256: 'abc', size: 11 }, contentType: 'image/png', cid: 'logo' },
      { filename: 'r\r\nBcc: x@evil.example\r\n.csv', content: Buffer.from('a,b'), contentType: null, cid: null },
    ];
    const { taken } = await sent({ text: null, html: '<img src="cid:logo">', attachments }, { openBlob });
    expect(opened).toEqual(['abc']);
    expect(taken?.content).toContain('Content-ID: <logo>');
    expect(taken?.content).toContain(Buffer.from('image bytes').toString('base64'));
    expect(taken?.content).toContain(Buffer.from('a,b').toString('base64'));
    expect(taken?.content).not.toMatch(/^Bcc:/m);
  });

  test('cannot be given further headers by a line break in its subject', async () => {
    const { taken } = await sent({ subject: 'Hi\r\nBcc: evil@evil.example\r\n\r\nbody' });
    expect(taken?.content).not.toMatch(/^Bcc:/m);
    expect(taken?.content).toContain('\r\n\r\nSome text');
    expect(taken?.to).toEqual(['a@receiver.example']);
  });

  test.each(['from', 'to', 'cc', 'bcc'])('with a line break in an address is refused: %s', async (field) => {
    const address = 'a@receiver.example>\r\nRCPT TO:<evil@evil.example';
    const { result, server } = await sent({ [field]: field === 'from' ? address : [address] });
    expect(result).toEqual({ kind: 'refused', reason: 'an address of the mail holds a line break' });
    expect(server.connections()).toBe(0);
  });

  test('to nobody is refused', async () => {
    const { result } = await sent({ to: [] });
    expect(result).toEqual({ kind: 'refused', reason: 'No recipients defined' });
  });

  test('whose file is no longer stored is refused, and the server keeps nothing of it', async () => {
    const openBlob = (): Readable => Readable.from(failing(Object.assign(new Error('ENOENT: /data/ab'), { code: 'ENOENT' })));
    const attachments = [{ filename: 'a', content: { sha256: 'ab', size: 5 }, contentType: null, cid: null }];
    const { result, server } = await sent({ attachments }, { openBlob });
    expect(result).toEqual({ kind: 'refused', reason: 'a file of the message is no longer stored' });
    expect(server.mails).toEqual([]);
  });
});

describe('what the server says', () => {
  test.each([421, 450, 451, 452, 550, 552, 554])('is the response: %d to the mail', async (status) => {
    const { result } = await sent({ subject: `${status}-refused` });
    expect(result).toMatchObject({ kind: 'response', status, reason: `${status} not now, not here` });
  });

  test.each([450, 550])('is the response: %d to the only recipient', async (status) => {
    const { result } = await sent({ to: [`${status}-x@receiver.example`] });
    expect(result).toMatchObject({ kind: 'response', status });
  });

  test('of one recipient among many is told, and the mail was sent to the others', async () => {
    const { result, taken } = await sent({ to: ['550-x@receiver.example', 'a@receiver.example'] });
    expect(result).toMatchObject({ kind: 'response', status: 250, reason: expect.stringMatching(/^250 /) });
    expect(Buffer.from((result as { body: Uint8Array }).body).toString()).toMatch(/^250 [^\n]*\n550 not now, not here$/);
    expect(taken?.to).toEqual(['a@receiver.example']);
  });

  test('of wrong credentials is 535, without them', async () => {
    const server = await startMailServer({ allowInsecureAuth: true });
    const send = (password: string) => openMailSender().send(mail(server.port, { user: 'me', password }), attempt());
    expect(await send('wrong-secret')).toMatchObject({ kind: 'response', status: 535, reason: '535 wrong credentials' });
    expect(JSON.stringify(await send('wrong-secret'))).not.toContain('wrong-secret');
    expect(await send('right')).toMatchObject({ status: 250 });
    expect(server.mails.map(({ user }) => user)).toEqual(['me']);
  });
});

describe('encryption', () => {
  const certificate = selfSigned(['mail.example']);
  const lookup = () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]);

  test('by STARTTLS is used where the server offers it, and the certificate is checked against the name', async () => {
    const server = await startMailServer(certificate);
    const trusting = openMailSender({ lookup, ca: certificate.cert });
    expect(await trusting.send(mail(server.port, { host: 'mail.example', user: 'me', password: 'right' }), attempt())).toMatchObject({
      status: 250,
    });
    expect(server.mails).toMatchObject([{ isEncrypted: true, user: 'me' }]);
    expect(await trusting.send(mail(server.port, { host: 'other.example' }), attempt())).toMatchObject({
      kind: 'network',
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
    expect(await openMailSender({ lookup }).send(mail(server.port, { host: 'mail.example' }), attempt())).toEqual({
      kind: 'network',
      code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
      reason: 'self-signed certificate',
    });
    expect(server.mails).toHaveLength(1);
  });

  test('from the first byte is used at port 465', async () => {
    const server = await startMailServer({ ...certificate, secure: true });
    const targets: unknown[] = [];
    // No test may listen at 465, so that the connection is led to where the server is.
    const openSocket: DialOptions['openSocket'] = (address, target, ca) => {
      targets.push(target);
      return connectTls({ host: address, port: server.port, servername: target.hostname, ca: ca as string });
    };
    const sender = openMailSender({ lookup, openSocket, ca: certificate.cert });
    const result = await sender.send(mail(465, { host: 'mail.example', user: 'me', password: 'right' }), attempt());
    expect(result).toMatchObject({ kind: 'response', status: 250, url: 'smtps://mail.example:465' });
    expect(targets).toEqual([{ hostname: 'mail.example', port: 465, isTls: true, timeoutMs: 5000 }]);
    expect(server.mails).toMatchObject([{ isEncrypted: true, user: 'me' }]);
  });
});

describe('the address policy', () => {
  test.each(['127.0.0.1', '::1', '2130706433', '0x7f.1', 'localhost'])('holds for the mail server too: %s', async (host) => {
    const server = await startMailServer();
    const lookup = () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]);
    const result = await openMailSender({ allowed: [], lookup }).send(mail(server.port, { host }), attempt());
    expect(result).toEqual({ kind: 'refused', reason: expect.stringContaining('SLUICE_OUTBOUND_ALLOW') });
    expect(server.connections()).toBe(0);
  });

  test('connects to the address that was checked, after one lookup', async () => {
    const server = await startMailServer();
    const opened: string[] = [];
    let lookups = 0;
    const lookup = () => Promise.resolve([{ address: lookups++ === 0 ? '127.0.0.5' : '10.0.0.1', family: 4 }]);
    const openSocket = (address: string): Socket => {
      opened.push(address);
      return connect(server.port, '127.0.0.1');
    };
    expect(await openMailSender({ lookup, openSocket }).send(mail(25, { host: 'mail.example' }), attempt())).toMatchObject({ status: 250 });
    expect([opened, lookups]).toEqual([['127.0.0.5'], 1]);
  });
});

describe('a server that fails', () => {
  async function serve(behave: (socket: Socket) => void): Promise<number> {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      onTestEnd(() => void socket.destroy());
      behave(socket);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestEnd(() => void server.close());
    return (server.address() as AddressInfo).port;
  }

  test('by saying nothing is a timeout', async () => {
    const port = await serve(() => undefined);
    expect(await openMailSender().send(mail(port, { timeoutMs: 80 }), attempt())).toEqual({ kind: 'timeout', phase: 'headers' });
  });

  test('by going on for ever is stopped by the limit on the whole', async () => {
    const port = await serve((socket) => {
      const timer = setInterval(() => socket.write('220-wait\r\n'), 10);
      socket.on('close', () => clearInterval(timer));
    });
    const result = await openMailSender({ totalTimeoutMs: 120 }).send(mail(port), attempt());
    expect(result).toEqual({ kind: 'timeout', phase: 'total' });
  });

  test.each([
    ['closing', (socket: Socket) => void socket.end()],
    ['resetting', (socket: Socket) => void socket.resetAndDestroy()],
    ['speaking HTTP', (socket: Socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ])('by %s is a network error in one line', async (_, behave) => {
    const result = await openMailSender().send(mail(await serve(behave)), attempt());
    expect(result).toMatchObject({
      kind: 'network',
      code: expect.stringMatching(/^[A-Z_]+$/),
      reason: expect.stringMatching(/^[\x20-\x7e]+$/),
    });
  });

  test('by answering 421 at once is a response that may be tried again', async () => {
    const port = await serve((socket) => void socket.end('421 too busy\r\n'));
    expect(await openMailSender().send(mail(port), attempt())).toMatchObject({ kind: 'response', status: 421 });
  });

  test('is left at once when the signal says so', async () => {
    const stop = new AbortController();
    const port = await serve(() => stop.abort());
    expect(await openMailSender().send(mail(port), attempt({ signal: stop.signal }))).toMatchObject({ kind: 'network', code: 'ABORTED' });
  });
});

async function* failing(error: Error): AsyncGenerator<Uint8Array> {
  yield* [];
  throw error;
}
