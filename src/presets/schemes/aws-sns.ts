// Amazon SNS: an RSA signature over some fields of the message, by a certificate that Amazon publishes at the URL in the message.

import { verify } from 'node:crypto';
import { type SeenRequest, textAt } from '../place.ts';
import type { Place } from '../preset.ts';
import { decodeStrictly } from '../proofs/keys.ts';
import { type Refusal, refusal, type Verdict, type Verifier } from '../proofs/proof.ts';
import { type Certificate, certificateFault } from '../remote/certificate.ts';
import type { DocumentCache } from '../remote/document-cache.ts';
import { isPinned, type Pin } from '../remote/pinned-url.ts';
import { documentOf } from './seen-body.ts';

const HOST = /^sns\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?$/;
const CERTIFICATE: Pin = { host: HOST, path: /^\/[\w.-]+\.pem$/, allowsQuery: false };
const CONFIRMATION: Pin = { host: HOST, path: /^\/$/, allowsQuery: true };

/** By SignatureVersion. */
const HASHES: ReadonlyMap<string, string> = new Map([
  ['1', 'sha1'],
  ['2', 'sha256'],
]);

const OF_SUBSCRIPTIONS = ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'];
/** The signed fields of each type, in their order. */
const SIGNED: ReadonlyMap<string, readonly string[]> = new Map([
  ['Notification', ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type']],
  ['SubscriptionConfirmation', OF_SUBSCRIPTIONS],
  ['UnsubscribeConfirmation', OF_SUBSCRIPTIONS],
]);

export function snsVerifier(topicArns: readonly string[], certificates: DocumentCache<Certificate>): Verifier {
  return {
    begin: (_head, now) => ({
      update: null,
      async finish(request) {
        const message = readMessage({ ...request, body: documentOf(request) }, topicArns);
        return 'isProven' in message ? message : check(message, await certificates.get(message.certificateUrl, now), now);
      },
    }),
  };
}

interface SignedMessage {
  id: string;
  text: string;
  hash: string;
  signature: Buffer;
  certificateUrl: string;
}

/** Checks everything that needs no certificate, so that only a message that may be right makes this server fetch one. */
function readMessage(request: SeenRequest, topicArns: readonly string[]): SignedMessage | Refusal {
  const field = (name: string): string | null => textAt(`body:${name}` as Place, request);
  const type = field('Type') ?? '';
  const names = SIGNED.get(type);
  if (names === undefined) return refusal('signature_malformed', 'the body is no message of Amazon SNS: its Type is missing or unknown');
  const values = names.map((name) => [name, field(name)] as const).filter(([name, value]) => name !== 'Subject' || value !== null);
  const missing = values.find(([, value]) => value === null);
  if (missing !== undefined) return refusal('signature_missing', `the message is not signed: its ${missing[0]} is missing`);
  // A line break would let the end of a field pass for another field.
  const broken = values.find(([name, value]) => name !== 'Message' && (value as string).includes('\n'));
  if (broken !== undefined) return refusal('signature_malformed', `the message is refused: its ${broken[0]} has several lines`);
  if (!topicArns.includes(field('TopicArn') as string))
    return refusal('signature_mismatch', 'the topic of the message is none of topic_arns of this sink');
  if (type === 'SubscriptionConfirmation' && !isPinned(field('SubscribeURL') as string, CONFIRMATION))
    return refusal('signature_malformed', 'the message is refused: its SubscribeURL is no address of Amazon SNS');
  return readSignature(field, values.map(([name, value]) => `${name}\n${value}\n`).join(''));
}

function readSignature(field: (name: string) => string | null, text: string): SignedMessage | Refusal {
  const hash = HASHES.get(field('SignatureVersion') ?? '');
  if (hash === undefined) return refusal('signature_missing', 'the message has no signature of version 1 or 2');
  const certificateUrl = field('SigningCertURL') ?? '';
  if (!isPinned(certificateUrl, CERTIFICATE))
    return refusal('signature_malformed', 'the message is refused: its SigningCertURL is no address of Amazon SNS');
  const signature = decoded(field('Signature') ?? '');
  if (signature === null) return refusal('signature_malformed', 'the signature of the message is missing, or not base64');
  return { id: field('MessageId') as string, text, hash, signature, certificateUrl };
}

function decoded(text: string): Buffer | null {
  try {
    return text === '' ? null : decodeStrictly(text, 'base64');
  } catch {
    return null;
  }
}

function check({ id, text, hash, signature }: SignedMessage, certificate: Certificate, now: number): Verdict {
  const fault = certificateFault(certificate, now);
  if (fault !== null) return refusal('signature_stale', `the signature of the message is refused: ${fault}`);
  if (!verify(hash, Buffer.from(text), certificate.key, signature))
    return refusal('signature_mismatch', 'the signature does not match the message');
  return { isProven: true, secret: 0, signed: { name: id, coversBody: true } };
}
