// Messages of Amazon SNS, signed as its documents describe.

import { createSign } from 'node:crypto';
import { SIGNER } from './sender-certificate.ts';

export const ARN = 'arn:aws:sns:us-east-1:123456789012:orders';
export const CERT_URL = 'https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0a1b.pem';
export const SUBSCRIBE_URL = `https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=${ARN}&Token=2336412f`;

export type SnsMessage = Record<string, string | undefined>;

export function message(changed: SnsMessage = {}): SnsMessage {
  return { Type: 'Notification', MessageId: 'm-1', TopicArn: ARN, Message: '{"a":1}', Timestamp: '2026-11-29T00:00:00.000Z', ...changed };
}

export function subscription(changed: SnsMessage = {}): SnsMessage {
  return message({ Type: 'SubscriptionConfirmation', Token: '2336412f', SubscribeURL: SUBSCRIBE_URL, ...changed });
}

interface SigningOptions {
  version?: string;
  /** Returns base64. */
  sign?: (hash: string, text: string) => string;
}

export function signSns(unsigned: SnsMessage, { version = '2', sign = signWithSigner }: SigningOptions = {}): SnsMessage {
  const names =
    unsigned['Type'] === 'Notification'
      ? ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type']
      : ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'];
  const text = names
    .filter((name) => unsigned[name] !== undefined)
    .map((name) => `${name}\n${unsigned[name]}\n`)
    .join('');
  const signature = sign(version === '1' ? 'sha1' : 'sha256', text);
  return { ...unsigned, SignatureVersion: version, Signature: signature, SigningCertURL: CERT_URL };
}

function signWithSigner(hash: string, text: string): string {
  return createSign(hash).update(text).sign(SIGNER.key, 'base64');
}
