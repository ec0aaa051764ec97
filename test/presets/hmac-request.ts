// Requests of schemes that sign fields of a form or a document with a shared secret.

import { createHmac } from 'node:crypto';
import { expect } from 'vitest';
import type { Secret, Verdict } from '../../src/presets/proofs/proof.ts';
import { makeVerifier, verifyWith } from '../support/verify-webhook.ts';

export const NOW = 1_700_000_000_000;
export const URL_SENT = 'https://hooks.example.org/in?a=1';
export const KEY = 'the key of the webhook';
export const FORM = 'application/x-www-form-urlencoded';

export function secret(value: string, endsAt: number | null = null): Secret {
  return { value, endsAt };
}

export function hmac(hash: string, key: string | Buffer, text: string, encoding: 'hex' | 'base64'): string {
  return createHmac(hash, key).update(text).digest(encoding);
}

export interface Sent {
  headers?: Record<string, string>;
  body?: string;
  url?: string;
}

export function verify(scheme: string, sent: Sent, { secrets = [secret(KEY)], now = NOW } = {}): Promise<Verdict> {
  const { headers = {}, body = '', url = URL_SENT } = sent;
  const query = Object.fromEntries(new URL(url).searchParams);
  return verifyWith(makeVerifier(scheme, { secrets }), { method: 'POST', url, headers, query, body: Buffer.from(body) }, now);
}

export function refused(reason: string) {
  return { isProven: false, kind: expect.any(String), reason: expect.stringContaining(reason) as unknown };
}
