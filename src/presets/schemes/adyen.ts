// Adyen: HMAC-SHA256 over some fields of each notification.

import { type SeenRequest, textAt } from '../place.ts';
import type { Place } from '../preset.ts';
import { refusal, type Secret, type Verdict, type Verifier } from '../proofs/proof.ts';
import { documentOf } from './seen-body.ts';
import { matchingSecret, readTextKeys, type TextKey } from './text-hmac.ts';

const SIGNED = [
  'pspReference',
  'originalReference',
  'merchantAccountCode',
  'merchantReference',
  'amount.value',
  'amount.currency',
  'eventCode',
  'success',
] as const;

export function adyenVerifier(secrets: readonly Secret[]): Verifier {
  const keys = readTextKeys(secrets, 'hex');
  return { begin: (_head, now) => ({ update: null, finish: (request) => check(request, keys, now) }) };
}

function check(request: SeenRequest, keys: readonly TextKey[], now: number): Verdict {
  const { notificationItems: items } = Object(documentOf(request)) as { notificationItems?: unknown };
  if (!Array.isArray(items) || items.length === 0)
    return refusal('signature_missing', 'the request has no signature: notificationItems is missing or empty');
  const texts = items.map((item) => {
    const seen = { ...request, body: (Object(item) as { NotificationRequestItem?: unknown }).NotificationRequestItem };
    return { forms: signedForms(seen), signature: textAt('body:additionalData.hmacSignature', seen) };
  });
  if (!texts.every(hasSignature))
    return refusal('signature_missing', 'a notification has no signature: additionalData.hmacSignature is missing');
  const secret = matchingSecret(keys, texts, { hash: 'sha256', encoding: 'base64' }, now);
  if (secret === null) return refusal('signature_mismatch', "the signature of a notification does not match it and the sink's secret");
  return {
    isProven: true,
    secret,
    signed: {
      name: texts
        .map(({ signature }) => signature)
        .sort()
        .join(' '),
      coversBody: true,
    },
  };
}

function hasSignature<Text extends { signature: string | null }>(text: Text): text is Text & { signature: string } {
  return text.signature !== null;
}

/** Adyen's libraries join the values as they are. Adyen has also described escapes, which matter for a value with a separator. */
function signedForms(item: SeenRequest): string[] {
  const values = SIGNED.map((field) => textOf(item, field));
  const plain = values.join(':');
  const escaped = values.map((value) => value.replaceAll('\\', '\\\\').replaceAll(':', '\\:')).join(':');
  return plain === escaped ? [plain] : [escaped, plain];
}

/** `success` may be a boolean. A missing field is empty. */
function textOf(item: SeenRequest, field: string): string {
  const text = textAt(`body:${field}` as Place, item);
  if (text !== null) return text;
  const value = (Object(item.body) as Record<string, unknown>)[field];
  return typeof value === 'boolean' ? String(value) : '';
}
