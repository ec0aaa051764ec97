// Senders of schemes that need code, at a server: whose keys are fetched, whose handshakes fetch, and whose proof does not cover
// the body.

import { createHmac, createSign } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { SIGNER } from '../presets/sender-certificate.ts';
import { keySetOf, makeToken, RSA } from '../presets/signed-token.ts';
import { ARN, CERT_URL, message, SUBSCRIBE_URL, signSns, subscription } from '../presets/sns-message.ts';
import { shareApp } from '../support/shared-app.ts';

const KEY = 'the key of the webhook';
const KEYS_URL = 'https://www.googleapis.com/oauth2/v3/certs';
const PAYPAL_CERT_URL = 'https://api.paypal.com/v1/notifications/certs/CERT-1';
const PUBLIC_URL = 'https://hooks.example/in';
const ACCOUNT = 'push@project.iam.gserviceaccount.com';

const now = Date.UTC(2026, 10, 29, 12);

const published: Record<string, string> = {
  [CERT_URL]: SIGNER.cert,
  [SUBSCRIBE_URL]: '<ok/>',
  [KEYS_URL]: keySetOf({ k1: RSA }),
  [PAYPAL_CERT_URL]: SIGNER.cert,
};
const fetched: string[] = [];
async function fetchText(url: string): Promise<string> {
  fetched.push(url);
  if (published[url] === undefined) throw new Error('the answer is 403');
  return published[url];
}

let time = now;
const app = shareApp({ clock: () => time, fetchText }, async (shared) => {
  await shared.workflow('seen', {
    steps: [{ type: 'sluice/set@v1', name: 's', values: { text: '$request.body.Message' } }],
    outputs: [{ type: 'JsonField', name: 'text', selector: '$steps.s.text' }],
  });
  await shared.sink({ path: '/sns', auth: { type: 'aws-sns', topic_arns: [ARN] } });
  await shared.sink({ path: '/sns-text', auth: { type: 'aws-sns', topic_arns: [ARN] }, workflow_id: 'seen', response: 'wait' });
  await shared.sink({ path: '/twilio', auth: { type: 'twilio', secrets: [KEY] }, public_url: PUBLIC_URL });
  await shared.sink({ path: '/pubsub', auth: { type: 'google-pubsub', service_account: ACCOUNT }, public_url: PUBLIC_URL });
  await shared.sink({ path: '/mailgun', auth: { type: 'mailgun', secrets: [KEY] } });
  await shared.sink({ path: '/mailgun-own', auth: { type: 'mailgun', secrets: [KEY] }, idempotency: 'none' });
  await shared.sink({ path: '/mailgun-hour', auth: { type: 'mailgun', secrets: [KEY] }, idempotency: { preset: true, keep_hours: 1 } });
  await shared.sink({ path: '/paypal', auth: { type: 'paypal', webhook_id: 'webhook-1' } });
  const body = { form_field: 'mandrill_events' };
  await shared.sink({ path: '/mandrill', auth: { type: 'mandrill', secrets: [KEY] }, public_url: PUBLIC_URL, body });
});

interface Sent {
  body?: string;
  headers?: Record<string, string>;
  method?: string;
}

/** A minute later: wrong credentials are counted by the second. */
function send(path: string, { body = '', headers = {}, method = 'POST' }: Sent): Promise<Response> {
  time += 60_000;
  return fetch(`${app().url}/shop${path}`, { method, headers, ...(method === 'POST' ? { body } : {}) });
}

const runCount = async (): Promise<number> => (await app().admin('GET', '/runs?limit=500')).body.runs.length;

describe('Amazon SNS', () => {
  const sendSns = (document: object, space?: number, path = '/sns'): Promise<Response> =>
    send(path, { body: JSON.stringify(document, null, space), headers: { 'content-type': 'text/plain; charset=UTF-8' } });

  test('has its subscription confirmed, which is no run', async () => {
    const before = await runCount();
    const response = await sendSns(signSns(subscription()));
    expect([response.status, await response.text()]).toEqual([200, '']);
    expect(fetched.splice(0)).toEqual([CERT_URL, SUBSCRIBE_URL]);
    expect(await runCount()).toBe(before);
  });

  test('learns why its subscription was not confirmed', async () => {
    const before = await runCount();
    const SubscribeURL = SUBSCRIBE_URL.replace('2336412f', 'expired');
    const response = await sendSns(signSns(subscription({ Token: 'expired', SubscribeURL })));
    expect(response.status).toBe(503);
    expect(await response.text()).toContain('the handshake could not be completed at sns.us-east-1.amazonaws.com: the answer is 403');
    expect(fetched.splice(0)).toEqual([SubscribeURL]);
    expect(await runCount()).toBe(before);
  });

  test('has no URL fetched that it did not sign, or of another topic', async () => {
    const forged = { ...signSns(subscription()), SubscribeURL: SUBSCRIBE_URL.replace('2336412f', 'forged') };
    expect((await sendSns(forged)).status).toBe(401);
    expect((await sendSns(signSns(subscription({ TopicArn: `${ARN}-2` })))).status).toBe(401);
    expect((await sendSns(signSns(subscription({ SubscribeURL: 'https://evil.example/?Action=ConfirmSubscription' })))).status).toBe(401);
    expect(fetched).toEqual([]);
  });

  test('starts a run, which reads its text as JSON', async () => {
    const accepted = await sendSns(signSns(message({ MessageId: 'run' })));
    expect([accepted.status, await accepted.text()]).toEqual([200, '']);
    const response = await sendSns(signSns(message({ MessageId: 'run' })), 0, '/sns-text');
    expect(await response.json()).toMatchObject({ output: { text: '{"a":1}' } });
  });

  test('that comes again is the same run, however it is written', async () => {
    const signed = signSns(message({ MessageId: 'again' }));
    const [first, again] = [await sendSns(signed), await sendSns(signed, 2)];
    expect([first.status, again.status]).toEqual([200, 200]);
    expect(again.headers.get('x-run-id')).toBe(first.headers.get('x-run-id'));
    expect(again.headers.get('idempotent-replayed')).toBe('true');
  });

  test('may end its subscription, which is no run', async () => {
    const before = await runCount();
    expect((await sendSns(signSns(subscription({ Type: 'UnsubscribeConfirmation' })))).status).toBe(200);
    expect(fetched.splice(0)).toEqual([]);
    expect(await runCount()).toBe(before);
  });

  test('that was altered is 401, and while its certificate cannot be fetched 503', async () => {
    const before = await runCount();
    expect((await sendSns({ ...signSns(message()), Message: 'altered' })).status).toBe(401);
    expect((await sendSns({})).status).toBe(401);
    const SigningCertURL = 'https://sns.eu-west-1.amazonaws.com/gone.pem';
    const response = await sendSns({ ...signSns(message()), SigningCertURL });
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '30']);
    expect(await response.text()).toContain('the key of the sender cannot be fetched from sns.eu-west-1.amazonaws.com: the answer is 403');
    expect(fetched.splice(0)).toEqual([SigningCertURL]);
    expect(await runCount()).toBe(before);
  });
});

describe('Twilio', () => {
  const FIELDS = 'To=%2B1800&Body=hi+there&CallStatus=ringing';
  const sign = (text: string): string => createHmac('sha1', KEY).update(text).digest('base64');
  const sendTwilio = (body: string, query = '', token = 't-1') =>
    send(`/twilio${query}`, {
      body,
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'x-twilio-signature': sign(`${PUBLIC_URL}${query}Bodyhi thereCallStatusringingTo+1800`),
        'i-twilio-idempotency-token': token,
      },
    });

  test('starts a run, and joins it under another token and in another spelling', async () => {
    const first = await sendTwilio(FIELDS);
    expect(first.status).toBe(200);
    const again = [await sendTwilio(FIELDS, '', 't-2'), await sendTwilio(FIELDS.replace('+there', '%20there'), '', 't-3')];
    expect(again.map(({ headers }) => headers.get('x-run-id'))).toEqual(again.map(() => first.headers.get('x-run-id')));
  });

  test('signs the public URL with its query', async () => {
    expect((await sendTwilio(FIELDS, '?a=1')).status).toBe(200);
    expect((await sendTwilio(`${FIELDS}&x=1`)).status).toBe(401);
  });

  test('signs the URL alone without a body, which proves no file', async () => {
    const headers = { 'x-twilio-signature': sign(PUBLIC_URL), 'i-twilio-idempotency-token': 't-4' };
    expect((await send('/twilio', { headers })).status).toBe(200);
    for (const type of ['application/octet-stream', 'image/png', 'text/plain', 'application/json', 'multipart/form-data; boundary=b'])
      expect((await send('/twilio', { body: '{"a":"--b--"}', headers: { ...headers, 'content-type': type } })).status).toBe(401);
    const boundary = '--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\nx\r\n--b--\r\n';
    expect(
      (await send('/twilio', { body: boundary, headers: { ...headers, 'content-type': 'multipart/form-data; boundary=b' } })).status,
    ).toBe(401);
  });

  test('needs a public URL', async () => {
    const document = { path: '/twilio-2', method: 'POST', auth: { type: 'twilio', secrets: [KEY] } };
    const { status, body } = await app().admin('POST', '/apps/shop/sinks', document);
    expect([status, JSON.stringify(body)]).toEqual([400, expect.stringContaining('twilio signs the public URL')]);
  });
});

describe('Google Pub/Sub', () => {
  const body = JSON.stringify({ message: { messageId: '1', data: 'e30=' }, subscription: 's' });
  const sendPush = (claims: object = {}): Promise<Response> => {
    const seconds = time / 1000;
    const all = { iss: 'accounts.google.com', aud: PUBLIC_URL, email: ACCOUNT, email_verified: true, exp: seconds + 3600, ...claims };
    const token = makeToken(all, RSA.privateKey, { alg: 'RS256', kid: 'k1' });
    return send('/pubsub', { body, headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` } });
  };

  test('starts a run, and joins it when the message comes again with another token', async () => {
    const first = await sendPush();
    const again = await sendPush();
    expect([first.status, again.status]).toEqual([204, 204]);
    expect(again.headers.get('x-run-id')).toBe(first.headers.get('x-run-id'));
  });

  test('is 401 with a token for another audience or another account, or that has expired', async () => {
    for (const claims of [{ aud: 'https://other.example' }, { email: 'x@y' }, { exp: time / 1000 - 3600 }])
      expect((await sendPush(claims)).status).toBe(401);
  });

  test('needs a public URL or an audience', async () => {
    const document = (auth: object) => ({
      path: '/pubsub-2',
      method: 'POST',
      auth: { type: 'google-pubsub', service_account: ACCOUNT, ...auth },
    });
    const refused = await app().admin('POST', '/apps/shop/sinks', document({}));
    expect([refused.status, JSON.stringify(refused.body)]).toEqual([400, expect.stringContaining('google-pubsub signs the public URL')]);
    expect((await app().admin('POST', '/apps/shop/sinks', document({ audience: 'a' }))).status).toBe(201);
  });
});

function sendMailgun(path: string, token: string, event: string): Promise<Response> {
  const timestamp = String(Math.floor(now / 1000));
  const signature = {
    timestamp,
    token,
    signature: createHmac('sha256', KEY)
      .update(timestamp + token)
      .digest('hex'),
  };
  return send(path, { body: JSON.stringify({ signature, 'event-data': { event } }), headers: { 'content-type': 'application/json' } });
}

describe('Mailgun', () => {
  for (const [path, name] of [
    ['/mailgun', 'its scheme'],
    ['/mailgun-own', 'nothing'],
  ] as const) {
    test(`may use a token for one body, when the sink names messages by ${name}`, async () => {
      const first = await sendMailgun(path, 'a', 'opened');
      const again = await sendMailgun(path, 'a', 'opened');
      expect([first.status, again.status]).toEqual([200, 200]);
      expect(again.headers.get('x-run-id')).toBe(first.headers.get('x-run-id'));
      const before = await runCount();
      const forged = await sendMailgun(path, 'a', 'unsubscribed');
      expect(forged.status).toBe(422);
      expect(await forged.text()).toContain('the signature of this request was used before with another body');
      expect(await runCount()).toBe(before);
      expect((await sendMailgun(path, 'b', 'unsubscribed')).status).toBe(200);
    });
  }
});

test('a token of Mailgun is remembered for as long as its time passes, however short the sink remembers', async () => {
  expect((await sendMailgun('/mailgun-hour', 'c', 'opened')).status).toBe(200);
  time += 4 * 3_600_000;
  expect((await sendMailgun('/mailgun-hour', 'c', 'unsubscribed')).status).toBe(422);
  time += 8 * 3_600_000;
  expect((await sendMailgun('/mailgun-hour', 'c', 'unsubscribed')).status).toBe(401);
});

test('a transmission of PayPal is good for one body, although another has its checksum', async () => {
  const [body, other] = ['plumless', 'buckeroo'];
  const sent = new Date(time).toISOString();
  const signature = createSign('sha256')
    .update(`t-1|${sent}|webhook-1|${crc32(body)}`)
    .sign(SIGNER.key, 'base64');
  const headers = {
    'content-type': 'text/plain',
    'paypal-transmission-id': 't-1',
    'paypal-transmission-time': sent,
    'paypal-transmission-sig': signature,
    'paypal-auth-algo': 'SHA256withRSA',
    'paypal-cert-url': PAYPAL_CERT_URL,
  };
  const statuses: number[] = [];
  for (const text of [body, body, other, `${other}!`]) statuses.push((await send('/paypal', { body: text, headers })).status);
  expect(statuses).toEqual([200, 200, 422, 401]);
});

describe('Mandrill', () => {
  const events = '[{"event":"send","_id":"1"}]';
  const signature = createHmac('sha1', KEY).update(`${PUBLIC_URL}mandrill_events${events}`).digest('base64');
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'x-mandrill-signature': signature };

  test('is proven over the form, of which the run reads one field', async () => {
    const body = `mandrill_events=${encodeURIComponent(events)}`;
    expect((await send('/mandrill', { body, headers })).status).toBe(200);
    expect((await send('/mandrill', { body: body.replace('send', 'open'), headers })).status).toBe(401);
  });

  test('looks whether the webhook is there', async () => {
    expect((await send('/mandrill', { method: 'HEAD' })).status).toBe(200);
  });
});
