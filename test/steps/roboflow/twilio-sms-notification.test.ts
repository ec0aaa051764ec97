// twilio_sms_notification: the request of both versions, the length of a message, and Twilio's answer.

import { describe, expect, test } from 'vitest';
import type { HttpMessage } from '../../../src/core/delivery/outbound.ts';
import { twilioSmsNotificationV1 } from '../../../src/steps/roboflow/twilio-sms-notification-v1.ts';
import { twilioSmsNotificationV2 } from '../../../src/steps/roboflow/twilio-sms-notification-v2.ts';
import type { StepPlan } from '../../../src/steps/step-type.ts';
import { answer, faultsOf, NOW, planOfKind, stepContext } from './step-context.ts';

const account = {
  twilio_account_sid: 'AC1',
  twilio_auth_token: 'to/k:en',
  sender_number: '+15550001',
  receiver_number: '+15550002',
  message: 'hi',
};
const v1 = { ...account, cooldown_session_key: 'session' };
const v2 = { ...account, sms_provider: 'Custom Twilio' };

const planV1 = (given: object = {}): StepPlan => twilioSmsNotificationV1.plan({ ...v1, ...given }, stepContext());
const planV2 = (given: object = {}): StepPlan => twilioSmsNotificationV2.plan({ ...v2, ...given }, stepContext());

function messageOf(planned: StepPlan): HttpMessage {
  return planOfKind(planned, 'deliver').message as HttpMessage;
}

function formOf(planned: StepPlan): [string, string][] {
  return [...new URLSearchParams(new TextDecoder().decode(messageOf(planned).body?.[0] as Uint8Array))];
}

function textOf(planned: StepPlan): string {
  return new Map(formOf(planned)).get('Body') as string;
}

describe('the request of both versions', () => {
  for (const [version, plan] of [
    ['v1', planV1],
    ['v2', planV2],
  ] as const) {
    test(`twilio_sms_notification@${version} posts a form to the account, with account and token in the URL`, () => {
      const planned = plan({ message: 'Größe & 100%' });
      const message = messageOf(planned);
      expect(message).toMatchObject({ method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, succeeds: '2xx' });
      const url = new URL(message.url);
      expect([url.origin, url.pathname]).toEqual(['https://api.twilio.com', '/2010-04-01/Accounts/AC1/Messages.json']);
      expect([url.username, decodeURIComponent(url.password)]).toEqual(['AC1', 'to/k:en']);
      expect(formOf(planned)).toEqual([
        ['To', '+15550002'],
        ['From', '+15550001'],
        ['Body', 'Größe & 100%'],
      ]);
    });

    test(`twilio_sms_notification@${version} sends only to the configured API, whatever the account contains`, () => {
      expect(new URL(messageOf(plan({ api_url: 'http://127.0.0.1:8080/' })).url).origin).toBe('http://127.0.0.1:8080');
      const evil = new URL(messageOf(plan({ twilio_account_sid: 'a@evil.example/#' })).url);
      expect([evil.host, evil.pathname]).toEqual(['api.twilio.com', '/2010-04-01/Accounts/a%40evil.example%2F%23/Messages.json']);
      expect(plan({ api_url: 'twilio' })).toMatchObject({ kind: 'failed', error: { code: 'invalid_setting' } });
    });

    test(`twilio_sms_notification@${version} fails for settings that are not text`, () => {
      for (const given of [{ receiver_number: 15550002 }, { sender_number: ['+1'] }, { twilio_auth_token: { a: 1 } }]) {
        expect(plan(given)).toMatchObject({
          kind: 'failed',
          error: { code: 'invalid_setting', message: expect.stringContaining('must be text') },
        });
      }
    });
  }

  test('twilio_sms_notification@v1 has a cooldown per session, and v2 per step', () => {
    expect(planOfKind(planV1(), 'deliver').remember).toEqual({ last_sent_at: NOW });
    expect(twilioSmsNotificationV1.memoryKey?.(v1, { step: 'a', written: {} })).toBe('twilio_sms_notification:session');
    expect(twilioSmsNotificationV2.memoryKey?.(v2, { step: 'a', written: {} })).not.toBe(
      twilioSmsNotificationV2.memoryKey?.(v2, { step: 'b', written: {} }),
    );
  });
});

describe('the length of a message', () => {
  test('twilio_sms_notification@v1 truncates to 160 characters or the configured limit, with a marker', () => {
    expect(textOf(planV1({ message: 'x'.repeat(160) }))).toBe('x'.repeat(160));
    expect(textOf(planV1({ message: 'x'.repeat(161) }))).toBe(`${'x'.repeat(154)} [...]`);
    expect(textOf(planV1({ message: '😀'.repeat(161) }))).toBe(`${'😀'.repeat(154)} [...]`);
    expect(textOf(planV1({ message: 'x'.repeat(20), length_limit: '10' }))).toBe('xxxx [...]');
    expect(textOf(planV1({ message: 'abc', length_limit: 1 }))).toBe(' [...]');
    expect(planV1({ length_limit: 0 })).toMatchObject({ kind: 'failed', error: { message: 'length_limit must be greater than 0' } });
  });

  test('twilio_sms_notification@v2 truncates to 1600 characters', () => {
    expect(textOf(planV2({ message: 'x'.repeat(1600) }))).toBe('x'.repeat(1600));
    expect(textOf(planV2({ message: 'x'.repeat(100_000) }))).toBe(`${'x'.repeat(1594)} [...]`);
  });

  test('the length includes the filled parameters', () => {
    expect(textOf(planV1({ message: '{{ $parameters.a }}', message_parameters: { a: 'y'.repeat(500) } }))).toBe(`${'y'.repeat(154)} [...]`);
  });
});

describe('v2', () => {
  test('twilio_sms_notification@v2 sends the URLs of one or many pictures', () => {
    const mediaOf = (media_url: unknown): string[] =>
      formOf(planV2({ media_url }))
        .filter(([name]) => name === 'MediaUrl')
        .map(([, value]) => value);
    expect(mediaOf('https://example.org/a.jpg')).toEqual(['https://example.org/a.jpg']);
    expect(mediaOf(['https://example.org/a.jpg', 'https://example.org/b.jpg'])).toHaveLength(2);
    expect(mediaOf(null)).toEqual([]);
    expect(planV2({ media_url: { type: 'base64', value: '/9j/' } })).toMatchObject({
      kind: 'failed',
      error: { message: expect.stringContaining('media_url must be text') },
    });
  });

  test('twilio_sms_notification@v2 names the missing settings of the account and sends nothing', () => {
    for (const given of [{ twilio_account_sid: null }, { twilio_auth_token: '' }, { sender_number: undefined }]) {
      expect(planV2(given)).toMatchObject({
        kind: 'completed',
        outputs: { error_status: true, message: 'Custom Twilio requires twilio_account_sid, twilio_auth_token, and sender_number' },
      });
    }
  });

  test("twilio_sms_notification@v2 refuses Roboflow's own account, which is the default", () => {
    expect(faultsOf(twilioSmsNotificationV2, v2)).toEqual([]);
    for (const provider of [undefined, 'Roboflow Managed API Key']) {
      expect(faultsOf(twilioSmsNotificationV2, { ...v2, sms_provider: provider })).toEqual([
        'sms_provider: must be "Custom Twilio": "Roboflow Managed API Key", the default, needs Roboflow\'s servers',
      ]);
    }
    expect(faultsOf(twilioSmsNotificationV2, { ...v2, sms_provider: 'Other' })).toHaveLength(1);
  });
});

describe('the answer', () => {
  const outputsOf = (status: number, body = '', reason = ''): unknown =>
    twilioSmsNotificationV1.interpret?.(v1, answer(status, body, reason), stepContext());

  test('an answer is a success if Twilio accepted the message', () => {
    expect(outputsOf(201, '{"sid":"SM1"}')).toMatchObject({
      outputs: { error_status: false, message: 'Notification sent successfully', status_code: 201 },
    });
  });

  test("a refused message is an error with Twilio's reason", () => {
    const text = 'Failed to send Twilio SMS notification. Internal error details: ';
    expect(outputsOf(400, '{"code":21211,"message":"Invalid To Phone Number"}')).toMatchObject({
      outputs: { error_status: true, message: `${text}HTTP 400 error: Invalid To Phone Number`, status_code: 400 },
    });
    expect(outputsOf(503, '<html>', 'Service Unavailable')).toMatchObject({
      outputs: { message: `${text}HTTP 503 error: Service Unavailable` },
    });
    expect(outputsOf(304, '{"message":5}')).toMatchObject({ outputs: { error_status: true, message: `${text}HTTP 304 error:` } });
  });
});

test('twilio_sms_notification@v1 refuses a limit of 0 and a missing session', () => {
  expect(faultsOf(twilioSmsNotificationV1, { ...v1, length_limit: '$inputs.limit' })).toEqual([]);
  for (const given of [{ length_limit: 0 }, { cooldown_session_key: undefined }, { cooldown_seconds: 901 }, { receiver_number: 5 }]) {
    expect(faultsOf(twilioSmsNotificationV1, { ...v1, ...given })).toHaveLength(1);
  }
});
