// Verifies the Standard Webhooks signature of a request, and reports its faults.

import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { beginSignature, finishSignature } from '../delivery/http/signature.ts';
import type { SignatureVerdict } from './arrival.ts';

/** Receives the body in chunks. */
export interface SignatureCheck {
  add(chunk: Buffer): void;
  verdict(): SignatureVerdict;
}

const TOLERANCE_SECONDS = 300;

/** `key` is null without a secret; `now` is in milliseconds. */
export function beginSignatureCheck(headers: IncomingHttpHeaders, key: Uint8Array | null, now: number): SignatureCheck {
  const [id, timestamp, signatures] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => headers[name]?.toString());
  if (id === undefined && timestamp === undefined && signatures === undefined) return decided('none', null);
  if (key === null) return decided('unchecked', 'no secret was given to check it with');
  if (signatures === undefined) return invalid('webhook-signature is missing');
  if (id === undefined || id === '') return invalid('webhook-id is missing');
  if (id.includes('.')) return invalid('webhook-id holds a ".", so that nobody can tell where it ends in what was signed');
  if (timestamp === undefined) return invalid('webhook-timestamp is missing');
  if (!/^\d{1,15}$/.test(timestamp)) return invalid('webhook-timestamp is no number of seconds');
  const signed = signatures.split(/\s+/).filter((signature) => signature.startsWith('v1,'));
  if (signed.length === 0) return invalid('webhook-signature holds none of version 1, written as v1,<base64>');
  const hmac = beginSignature(key, id, timestamp);
  return {
    add: (chunk) => void hmac.update(chunk),
    verdict() {
      const expected = Buffer.from(finishSignature(hmac));
      const matches = signed.some((signature) => isSame(Buffer.from(signature), expected));
      const reasons = [...(matches ? [] : [mismatch(signed.length)]), ...timestampFaults(Number(timestamp) - Math.floor(now / 1000))];
      return reasons.length === 0 ? { verdict: 'valid', reason: null } : { verdict: 'invalid', reason: reasons.join('; ') };
    },
  };
}

function mismatch(count: number): string {
  return `${count === 1 ? 'the signature is not' : `none of the ${count} signatures is`} of this body, id, timestamp and secret`;
}

function timestampFaults(ahead: number): string[] {
  if (Math.abs(ahead) <= TOLERANCE_SECONDS) return [];
  const where = ahead < 0 ? `${-ahead} s old` : `${ahead} s in the future`;
  const hint = ahead > 1e9 ? '; it is counted in seconds, not in milliseconds' : '';
  return [`webhook-timestamp is ${where}, and ${TOLERANCE_SECONDS} s are allowed${hint}`];
}

function isSame(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

function invalid(reason: string): SignatureCheck {
  return decided('invalid', reason);
}

function decided(verdict: SignatureVerdict['verdict'], reason: string | null): SignatureCheck {
  return { add: () => undefined, verdict: () => ({ verdict, reason }) };
}
