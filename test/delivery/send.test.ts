// The sender as the application makes it: one door for HTTP and mail, under one policy.

import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { parseOutboundAllow } from '../../src/config/config-values.ts';
import type { MailMessage } from '../../src/core/delivery/outbound.ts';
import { createAddressPolicy } from '../../src/delivery/address-policy.ts';
import { createSender } from '../../src/delivery/create-sender.ts';
import type { Sender } from '../../src/delivery/sender.ts';
import { onTestEnd } from '../support/cleanup.ts';
import { startReceiver } from './hostile-receiver.ts';
import { attempt, LOOPBACK, post } from './http-sender.ts';
import { startMailServer } from './mail-server.ts';

function open(allowed: readonly string[]): Sender {
  const sender = createSender({
    policy: createAddressPolicy(parseOutboundAllow(allowed.join(','))),
    openBlob: () => Readable.from([]),
    userAgent: 'sluice/test',
  });
  onTestEnd(() => sender.close());
  return sender;
}

function mail(port: number): MailMessage {
  const addresses = { from: 'a@sender.example', to: ['b@receiver.example'], cc: [], bcc: [] };
  const content = { subject: 'Hello', text: 'text', html: null, attachments: [] };
  return { transport: 'smtp', host: '127.0.0.1', port, user: '', password: '', timeoutMs: 5000, ...addresses, ...content };
}

test('a message goes out by its transport', async () => {
  const [receiver, server] = [await startReceiver(), await startMailServer()];
  const sender = open(LOOPBACK);
  expect(await sender.send(post(`${receiver.url}/ok`), attempt())).toMatchObject({ kind: 'response', status: 200 });
  expect(await sender.send(mail(server.port), attempt())).toMatchObject({ kind: 'response', status: 250 });
  expect([receiver.requests.length, server.mails.length]).toEqual([1, 1]);
});

test('both transports are under the address policy', async () => {
  const [receiver, server] = [await startReceiver(), await startMailServer()];
  const sender = open([]);
  const refused = { kind: 'refused', reason: '127.0.0.1 is not a public address (loopback), and SLUICE_OUTBOUND_ALLOW does not name it' };
  expect(await sender.send(post(receiver.url), attempt())).toEqual(refused);
  expect(await sender.send(post(receiver.url, { body: [] }), attempt())).toEqual(refused);
  expect(await sender.send(mail(server.port), attempt())).toEqual(refused);
  expect([receiver.connections(), server.connections()]).toEqual([0, 0]);
});
