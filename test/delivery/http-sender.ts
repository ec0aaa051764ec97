// A sender whose policy lets it reach this machine, and messages for it.

import { Readable } from 'node:stream';
import { parseOutboundAllow } from '../../src/config/config-values.ts';
import type { HttpMessage } from '../../src/core/delivery/outbound.ts';
import { createAddressPolicy } from '../../src/delivery/address-policy.ts';
import { createDial, type DialOptions } from '../../src/delivery/guarded-connector.ts';
import { HttpSender, type HttpSenderOptions } from '../../src/delivery/http/send-http.ts';
import type { SendOptions } from '../../src/delivery/sender.ts';
import { onTestEnd } from '../support/cleanup.ts';

export const LOOPBACK = ['127.0.0.0/8', '::1'];

export type TestSenderOptions = Partial<Omit<HttpSenderOptions, 'dial'>> &
  Partial<Omit<DialOptions, 'policy'>> & { allowed?: readonly string[] };

export function openSender({ allowed = LOOPBACK, ...options }: TestSenderOptions = {}): HttpSender {
  const sender = new HttpSender({
    dial: createDial({ ...options, policy: createAddressPolicy(parseOutboundAllow(allowed.join(','))) }),
    openBlob: () => Readable.from([]),
    userAgent: 'sluice/test',
    ...options,
  });
  onTestEnd(() => sender.close());
  return sender;
}

export function post(url: string, changed: Partial<HttpMessage> = {}): HttpMessage {
  return {
    transport: 'http',
    method: 'POST',
    url,
    headers: {},
    body: [Buffer.from('hello')],
    timeoutMs: 5000,
    redirects: 'refuse',
    succeeds: '2xx',
    signingSecret: null,
    ...changed,
  };
}

/** As the engine gives them for one attempt. */
export function attempt(changed: Partial<SendOptions> = {}): SendOptions {
  const signal = new AbortController().signal;
  return { idempotencyKey: 'run_1:notify', deliveryId: 'dlv_1', attempt: 1, now: 1_700_000_000_500, signal, ...changed };
}
