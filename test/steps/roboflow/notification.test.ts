// The behaviour that all notification sinks share: disabled, cooling down, in the background or awaited.

import { describe, expect, test } from 'vitest';
import type { OutboundMessage } from '../../../src/core/delivery/outbound.ts';
import { BACKGROUND_RETRY, NO_RETRY } from '../../../src/core/delivery/retry.ts';
import { parseJson } from '../../../src/core/json/json.ts';
import {
  interpretNotification,
  type NotificationManifest,
  noAnswerText,
  planNotification,
  refusedNotification,
} from '../../../src/steps/shared/notification.ts';
import { SettingFault } from '../../../src/steps/shared/setting-values.ts';
import type { StepContext, StepPlan } from '../../../src/steps/step-type.ts';
import { answer, NOW, planOfKind, stepContext } from './step-context.ts';

const message: OutboundMessage = {
  transport: 'http',
  method: 'POST',
  url: 'https://example.org/',
  headers: {},
  body: null,
  timeoutMs: 1000,
  redirects: 'refuse',
  succeeds: '2xx',
  signingSecret: null,
};
const nothingSent = { error_status: false, throttling_status: false, status_code: null, response_body: null, delivery_id: null };

function plan(manifest: NotificationManifest, context: Partial<StepContext> = {}): StepPlan {
  return planNotification(manifest, stepContext(context), () => message);
}

function sentAgo(ms: number): Partial<StepContext> {
  return { memory: { last_sent_at: NOW - ms } };
}

describe('a disabled sink', () => {
  for (const word of [true, 1, '1', 'true', 'True', 'YES', 'on', parseJson('1.0')]) {
    test(`a sink disabled by ${JSON.stringify(String(word))} sends nothing, composes no message and does not start the cooldown`, () => {
      const compose = (): never => {
        throw new Error('no message may be made');
      };
      const disabled = planNotification({ disable_sink: word }, stepContext(sentAgo(1)), compose);
      expect(disabled).toEqual({
        kind: 'completed',
        outputs: { ...nothingSent, message: 'Sink was disabled by parameter `disable_sink`' },
      });
    });
  }
});

describe('the cooldown', () => {
  const throttled = { kind: 'completed', outputs: { ...nothingSent, throttling_status: true, message: 'Sink cooldown applies' } };

  test('the cooldown lasts 5 seconds by default', () => {
    expect(plan({}, sentAgo(4999))).toEqual(throttled);
    expect(plan({}, sentAgo(5000)).kind).toBe('deliver');
  });

  test('the cooldown lasts as long as configured, from the last planned message', () => {
    expect(plan({ cooldown_seconds: 100 }, sentAgo(99_999))).toEqual(throttled);
    expect(plan({ cooldown_seconds: '100' }, sentAgo(100_000)).kind).toBe('deliver');
    expect(planOfKind(plan({ cooldown_seconds: 100 }), 'deliver').remember).toEqual({ last_sent_at: NOW });
  });

  for (const seconds of [0, -1, '0', false]) {
    test(`a cooldown of ${JSON.stringify(seconds)} seconds never throttles`, () => {
      expect(plan({ cooldown_seconds: seconds }, sentAgo(0)).kind).toBe('deliver');
    });
  }

  test('the cooldown ends when the clock was set back, so that the sink does not stay silent', () => {
    expect(plan({ cooldown_seconds: 5 }, sentAgo(-3_600_000)).kind).toBe('deliver');
  });

  for (const memory of [null, {}, [], 'sent', 5, { last_sent_at: 'today' }, { last_sent_at: null }]) {
    test(`the cooldown does not apply with the memory ${JSON.stringify(memory)}`, () => {
      expect(plan({}, { memory }).kind).toBe('deliver');
    });
  }
});

describe('messages', () => {
  test('a message is sent in the background by default: the step completes, and the message is retried for minutes', () => {
    expect(plan({})).toEqual({
      kind: 'deliver',
      message,
      retry: BACKGROUND_RETRY,
      remember: { last_sent_at: NOW },
      outcome: {
        kind: 'completed',
        outputs: { ...nothingSent, message: 'Notification sent in the background task', delivery_id: 'dlv_1' },
      },
    });
    expect(BACKGROUND_RETRY).toEqual({ maxRetries: 5, baseSeconds: 1, maxSeconds: 300 });
  });

  test('an awaited message has one attempt, or as many as configured', () => {
    expect(plan({ fire_and_forget: false })).toMatchObject({ outcome: null, retry: NO_RETRY });
    expect(plan({ fire_and_forget: 'no', retry: { max_retries: 2 } })).toMatchObject({ outcome: null, retry: { maxRetries: 2 } });
    expect(plan({ retry: { base_seconds: 9 } })).toMatchObject({ retry: { maxRetries: 5, baseSeconds: 9, maxSeconds: 300 } });
  });

  test('a message that cannot be composed completes the step with a visible error, and starts no cooldown', () => {
    const refused = planNotification({}, stepContext(), () => refusedNotification('no sender'));
    expect(refused).toEqual({ kind: 'completed', outputs: { ...nothingSent, error_status: true, message: 'no sender' } });
  });

  for (const [setting, value, text] of [
    ['disable_sink', 'maybe', 'disable_sink must be true or false, but is "maybe"'],
    ['disable_sink', null, 'disable_sink must be true or false, but is null'],
    ['fire_and_forget', [], 'fire_and_forget must be true or false, but is []'],
    ['fire_and_forget', 2, 'fire_and_forget must be true or false, but is 2'],
    ['cooldown_seconds', 0.5, 'cooldown_seconds must be a whole number, but is 0.5'],
    ['cooldown_seconds', 'soon', 'cooldown_seconds must be a whole number, but is "soon"'],
    ['cooldown_seconds', null, 'cooldown_seconds must be a whole number, but is null'],
    ['cooldown_seconds', { a: 'x'.repeat(200) }, `cooldown_seconds must be a whole number, but is {"a":"${'x'.repeat(54)}...`],
    ['cooldown_seconds', parseJson('99999999999999999999'), 'cooldown_seconds must be a whole number, but is 99999999999999999999'],
  ] as const) {
    test(`a message is not sent when a selector gives ${String(JSON.stringify(String(value))).slice(0, 40)} for ${setting}`, () => {
      expect(() => plan({ [setting]: value })).toThrow(new SettingFault(text));
    });
  }
});

describe('the result of an awaited message', () => {
  const faultOf = (): string => 'it broke';

  test('an accepted message is reported as success, with the answer', () => {
    expect(interpretNotification(answer(201, '{"a":"é"}'), stepContext(), 'e-mail', () => null)).toEqual({
      kind: 'completed',
      outputs: {
        error_status: false,
        throttling_status: false,
        message: 'Notification sent successfully',
        status_code: 201,
        response_body: '{"a":"é"}',
        delivery_id: 'dlv_1',
      },
    });
  });

  test('a failed message is reported with its reason, and the step completes', () => {
    expect(interpretNotification(answer(500, 'no'), stepContext(), 'e-mail', faultOf)).toMatchObject({
      kind: 'completed',
      outputs: {
        error_status: true,
        message: 'Failed to send e-mail. Internal error details: it broke',
        status_code: 500,
        response_body: 'no',
      },
    });
  });

  test('a message without an answer has no status and no body', () => {
    const refused = { kind: 'refused', reason: 'the address is private' } as const;
    expect(interpretNotification(refused, stepContext(), 'webhook notification', () => noAnswerText(refused))).toMatchObject({
      outputs: {
        message: 'Failed to send webhook notification. Internal error details: the address is private',
        status_code: null,
        response_body: null,
        delivery_id: 'dlv_1',
      },
    });
    expect(noAnswerText({ kind: 'timeout', phase: 'headers' })).toBe('no answer in time (headers)');
    expect(noAnswerText({ kind: 'network', code: 'ECONNREFUSED', reason: 'connection refused' })).toBe('connection refused');
  });

  test('an answer that is not UTF-8 is reported', () => {
    const broken = { ...answer(200), body: new Uint8Array([0xff, 0xfe, 0x41]) };
    expect(interpretNotification(broken, stepContext(), 'e-mail', () => null)).toMatchObject({
      outputs: { response_body: '\uFFFD\uFFFDA' },
    });
  });
});
