// Amazon SNS: messages that are signed here with certificates of the tests.

import { createSign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Unreachable } from '../../src/presets/remote/fetch-text.ts';
import { makeVerifier, verifyWith } from '../support/verify-webhook.ts';
import { CURVE, EXPIRED, NOT_YET, publish, SHORT, SIGNER } from './sender-certificate.ts';
import { ARN, CERT_URL, message, type SnsMessage, signSns, subscription } from './sns-message.ts';

const NOW = Date.UTC(2026, 10, 29);

interface Verifying {
  cert?: string | Error;
  topics?: string[];
}

async function verify(body: unknown, { cert = SIGNER.cert, topics = [ARN] }: Verifying = {}) {
  const { fetched, fetchText } = publish({ [CERT_URL]: cert });
  const verifier = makeVerifier('aws-sns', { settings: { topic_arns: topics }, fetchText });
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const request = { method: 'POST', url: 'https://hooks.example/sns', headers: {}, query: {}, body: Buffer.from(text) };
  return { verdict: await verifyWith(verifier, request, NOW), fetched };
}

const refused = (reason: string) => ({ isProven: false, kind: expect.any(String), reason: expect.stringContaining(reason) });
const proven = { isProven: true, secret: 0, signed: { name: 'm-1', coversBody: true } };

describe('a message is proven', () => {
  for (const version of ['1', '2']) {
    test(`by a signature of version ${version}`, async () => {
      expect((await verify(signSns(message(), { version }))).verdict).toEqual(proven);
      expect((await verify(signSns(message({ Subject: 'Grüße' }), { version }))).verdict).toEqual(proven);
      expect((await verify(signSns(subscription(), { version }))).verdict).toEqual(proven);
      expect((await verify(signSns(subscription({ Type: 'UnsubscribeConfirmation' }), { version }))).verdict).toEqual(proven);
    });
  }

  test('when it has several lines, a subject that is null, and more than 256 KiB', async () => {
    expect((await verify(signSns(message({ Message: 'a\nMessageId\nb\n' })))).verdict).toEqual(proven);
    expect((await verify({ ...signSns(message()), Subject: null })).verdict).toEqual(proven);
    expect((await verify(signSns(message({ Message: '\u0001'.repeat(200_000) })))).verdict).toEqual(proven);
  });

  test('by a certificate in China', async () => {
    const url = 'https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-1.pem';
    const { fetchText } = publish({ [url]: SIGNER.cert });
    const verifier = makeVerifier('aws-sns', { settings: { topic_arns: [ARN] }, fetchText });
    const body = Buffer.from(JSON.stringify({ ...signSns(message()), SigningCertURL: url }));
    expect(await verifyWith(verifier, { method: 'POST', url: 'https://x/', headers: {}, query: {}, body }, NOW)).toEqual(proven);
  });
});

describe('without a fetch, a message is refused', () => {
  const signed = signSns(message());
  const cases: [string, unknown, string][] = [
    ['that is empty', '', 'Type is missing'],
    ['that is no JSON', '{', 'Type is missing'],
    ['that is null', null, 'Type is missing'],
    ['that is a list', [signed], 'Type is missing'],
    ['of a type of Object', { ...signed, Type: 'constructor' }, 'Type is missing or unknown'],
    ['of another topic', signSns(message({ TopicArn: `${ARN}2` })), 'none of topic_arns'],
    ['without its id', { ...signed, MessageId: undefined }, 'its MessageId is missing'],
    ['with an id of two lines', signSns(message({ MessageId: 'm-1\nSubject\nx' })), 'its MessageId has several lines'],
    ['with a subject of two lines', signSns(message({ Subject: 'a\nb' })), 'its Subject has several lines'],
    ['without a signature', { ...signed, Signature: undefined }, 'is missing, or not base64'],
    ['with an empty signature', { ...signed, Signature: '' }, 'is missing, or not base64'],
    ['with a signature that is not base64', { ...signed, Signature: '%%%' }, 'is missing, or not base64'],
    ['of another version', { ...signed, SignatureVersion: '3' }, 'no signature of version 1 or 2'],
    ['of a version of Object', { ...signed, SignatureVersion: 'constructor' }, 'no signature of version 1 or 2'],
    ['without a version', { ...signed, SignatureVersion: undefined }, 'no signature of version 1 or 2'],
    [
      'whose subscription is elsewhere',
      signSns(subscription({ SubscribeURL: 'https://evil.example/?Action=ConfirmSubscription' })),
      'its SubscribeURL is no address',
    ],
    ['whose subscription is no URL', signSns(subscription({ SubscribeURL: 'x' })), 'its SubscribeURL is no address'],
  ];
  for (const [what, body, reason] of cases) {
    test(what, async () => {
      expect(await verify(body)).toEqual({ verdict: refused(reason), fetched: [] });
    });
  }

  const urls = [
    'https://sns.us-east-1.amazonaws.com.evil.example/x.pem',
    'https://sns.us-east-1.amazonaws.com@evil.example/x.pem',
    'https://evil.example/sns.us-east-1.amazonaws.com/x.pem',
    'https://evil.example\\@sns.us-east-1.amazonaws.com/x.pem',
    'https://evilsns.us-east-1.amazonaws.com/x.pem',
    'https://a.sns.us-east-1.amazonaws.com/x.pem',
    'https://sns.evil.example.amazonaws.com/x.pem',
    'https://sns.us-east-1.amazonaws.com:8443/x.pem',
    'https://user@sns.us-east-1.amazonaws.com/x.pem',
    'https://sns.us-east-1.amazonaws.com/x.pem?to=https://evil.example/',
    'https://sns.us-east-1.amazonaws.com/x.pem#a',
    'https://sns.us-east-1.amazonaws.com/a/../x.pem',
    'https://sns.us-east-1.amazonaws.com/x.txt',
    'https://sns.us-east-1.amazonaws.com/?Action=x.pem',
    'https://SNS.us-east-1.amazonaws.com/x.pem',
    'http://sns.us-east-1.amazonaws.com/x.pem',
    'ftp://sns.us-east-1.amazonaws.com/x.pem',
    'file:///etc/x.pem',
    '//sns.us-east-1.amazonaws.com/x.pem',
    ' https://sns.us-east-1.amazonaws.com/x.pem',
    'https://sns.us-east-1.amazonaws.com/x.pem\n',
    'https://sns.us-east-1.amazonaws.com./x.pem',
    'https://127.0.0.1/x.pem',
    '',
  ];
  for (const url of urls) {
    test(`with a certificate at ${JSON.stringify(url)}`, async () => {
      expect(await verify({ ...signed, SigningCertURL: url })).toEqual({ verdict: refused('SigningCertURL is no address'), fetched: [] });
    });
  }
});

describe('after a fetch, a message is refused', () => {
  const altered: [string, SnsMessage][] = [
    ['whose text was altered', { ...signSns(message()), Message: 'other' }],
    ['whose id was altered', { ...signSns(message()), MessageId: 'm-2' }],
    ['whose time was altered', { ...signSns(message()), Timestamp: '2026-11-30T00:00:00.000Z' }],
    ['that was given a subject', { ...signSns(message()), Subject: 'x' }],
    ['whose subject was taken', { ...signSns(message({ Subject: 'x' })), Subject: undefined }],
    ['whose type was altered', { ...signSns(subscription()), Type: 'UnsubscribeConfirmation' }],
    ['of version 2 that says 1', { ...signSns(message(), { version: '2' }), SignatureVersion: '1' }],
    ['whose signature is short', { ...signSns(message()), Signature: 'AAAA' }],
  ];
  for (const [what, body] of altered) {
    test(what, async () => {
      expect((await verify(body)).verdict).toEqual(refused('does not match the message'));
    });
  }

  test('that another key signed', async () => {
    const other = signSns(message(), { sign: (hash, text) => createSign(hash).update(text).sign(NOT_YET.key, 'base64') });
    expect((await verify(other)).verdict).toEqual(refused('does not match the message'));
  });

  test('whose certificate has expired, or is not valid yet', async () => {
    const by = (key: string) => signSns(message(), { sign: (hash, text) => createSign(hash).update(text).sign(key, 'base64') });
    expect((await verify(by(EXPIRED.key), { cert: EXPIRED.cert })).verdict).toEqual(refused('its certificate has expired'));
    expect((await verify(by(NOT_YET.key), { cert: NOT_YET.cert })).verdict).toEqual(refused('its certificate is not valid yet'));
  });
});

describe('a message is neither proven nor refused while its certificate', () => {
  const broken: [string, string | Error, string][] = [
    ['cannot be fetched', new Error('no answer in time (total)'), 'no answer in time'],
    ['is an error page', '<Error/>', 'the answer is no certificate in PEM'],
    ['cannot be read', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', 'the certificate cannot be read'],
    ['has a key of a curve', CURVE.cert, 'no RSA key of at least 2048 bits'],
    ['has a short key', SHORT.cert, 'no RSA key of at least 2048 bits'],
  ];
  for (const [what, cert, reason] of broken) {
    test(what, async () => {
      const verifying = verify(signSns(message()), { cert });
      await expect(verifying).rejects.toThrow(Unreachable);
      await expect(verifying).rejects.toThrow(`the key of the sender cannot be fetched from sns.us-east-1.amazonaws.com: `);
      await expect(verifying).rejects.toThrow(reason);
    });
  }
});
