// slack_notification: the request, Slack's answer, and the placeholders of a message.

import { describe, expect, test } from 'vitest';
import type { HttpMessage } from '../../../src/core/delivery/outbound.ts';
import { slackNotification } from '../../../src/steps/roboflow/slack-notification.ts';
import type { StepContext, StepPlan } from '../../../src/steps/step-type.ts';
import { answer, faultsOf, NOW, planOfKind, stepContext } from './step-context.ts';

const manifest = { slack_token: 'xoxb-1', channel: '#alerts', message: 'hi', cooldown_session_key: 'session' };

function plan(given: object = {}, context: Partial<StepContext> = {}): StepPlan {
  return slackNotification.plan({ ...manifest, ...given }, stepContext(context));
}

function bodyOf(planned: StepPlan): unknown {
  const [body] = (planOfKind(planned, 'deliver').message as HttpMessage).body as Uint8Array[];
  return JSON.parse(new TextDecoder().decode(body));
}

describe('the request', () => {
  test("a message is sent by Slack's chat.postMessage", () => {
    const planned = planOfKind(plan(), 'deliver');
    expect(planned.message).toMatchObject({
      transport: 'http',
      method: 'POST',
      url: 'https://slack.com/api/chat.postMessage',
      headers: { Authorization: 'Bearer xoxb-1', 'Content-Type': 'application/json; charset=utf-8' },
      succeeds: 'json_ok',
    });
    expect(bodyOf(planned)).toEqual({ channel: '#alerts', text: 'hi' });
    expect(planned).toMatchObject({
      remember: { last_sent_at: NOW },
      outcome: { outputs: { message: 'Notification sent in the background task' } },
    });
  });

  test('the request goes to the configured API URL', () => {
    expect(planOfKind(plan({ api_url: 'https://slack-gov.com/api/' }), 'deliver').message).toMatchObject({
      url: 'https://slack-gov.com/api/chat.postMessage',
    });
    expect(plan({ api_url: 'file:///etc/passwd' })).toMatchObject({ kind: 'failed', error: { code: 'invalid_setting' } });
  });

  test('the cooldown is shared by the steps of a session', () => {
    expect(slackNotification.memoryKey?.(manifest, { step: 'a', written: {} })).toBe(
      slackNotification.memoryKey?.(manifest, { step: 'b', written: {} }),
    );
    expect(plan({}, { memory: { last_sent_at: NOW - 1 } })).toMatchObject({ outputs: { throttling_status: true } });
    expect(plan({ disable_sink: true })).toMatchObject({ outputs: { message: 'Sink was disabled by parameter `disable_sink`' } });
  });

  for (const [given, message] of [
    [{ slack_token: null }, 'slack_token must be text, but is null'],
    [{ channel: 5 }, 'channel must be text, but is 5'],
    [{ channel: ['#a'] }, 'channel must be text, but is ["#a"]'],
  ] as const) {
    test(`the step fails without a request: ${message}`, () => {
      expect(plan(given)).toMatchObject({ kind: 'failed', retryable: false, error: { code: 'invalid_setting', message } });
    });
  }
});

describe('the text of a message', () => {
  const texts: [message: string, parameters: Record<string, unknown>, expected: string][] = [
    ['{{{ $parameters.param }}}', { param: 'some' }, '{some}'],
    ['{{$parameters.param}} {{   $parameters.param\n}}', { param: 'some' }, 'some some'],
    ['{{ $parameters.a }} and {{ $parameters.b }}', { a: 'some', b: 42 }, 'some and 42'],
    [
      '{{ $parameters.other }} {{ parameters.a }} { $parameters.a }',
      { a: 1 },
      '{{ $parameters.other }} {{ parameters.a }} { $parameters.a }',
    ],
    ['{{ $parameters.a }}', { a: [true, null, 1.5] }, '[True, None, 1.5]'],
    ['{{ $parameters.größe }}', { größe: 'XL' }, 'XL'],
    ['{{ $parameters.__proto__ }}', {}, '{{ $parameters.__proto__ }}'],
    ['{{ $parameters.a }}', { a: '{{ $parameters.b }}', b: 'secret' }, '{{ $parameters.b }}'],
    ['{{ $parameters.a }}', { a: "$& $1 $` $'" }, "$& $1 $` $'"],
  ];
  for (const [message, parameters, expected] of texts) {
    test(`${JSON.stringify(message)} with ${JSON.stringify(parameters)} becomes ${JSON.stringify(expected)}`, () => {
      expect(bodyOf(plan({ message, message_parameters: parameters }))).toMatchObject({ text: expected });
    });
  }

  test('parameters are written after their operations', () => {
    const given = {
      message: '{{ $parameters.a }}',
      message_parameters: { a: 'some' },
      message_parameters_operations: { a: [{ type: 'StringToUpperCase' }], b: [] },
    };
    expect(bodyOf(plan(given))).toMatchObject({ text: 'SOME' });
    expect(plan({ ...given, message_parameters: { a: 5 } })).toMatchObject({ kind: 'failed', error: { code: 'operation_failed' } });
  });

  test('a message is filled in one pass, however many braces it has', () => {
    const message = `${'{{ '.repeat(300_000)}${'{{ $parameters.a }}'.repeat(1000)}`;
    expect(bodyOf(plan({ message, message_parameters: { a: 'x' } }))).toMatchObject({
      text: `${'{{ '.repeat(300_000)}${'x'.repeat(1000)}`,
    });
  });
});

describe('the answer', () => {
  function outputsOf(result: ReturnType<typeof answer> | { kind: 'timeout'; phase: 'headers' }): unknown {
    return slackNotification.interpret?.(manifest, result, stepContext());
  }

  test('an answer is a success only if Slack says ok', () => {
    expect(outputsOf(answer(200, '{"ok":true}'))).toMatchObject({
      outputs: { error_status: false, message: 'Notification sent successfully', status_code: 200, response_body: '{"ok":true}' },
    });
  });

  for (const [status, body, details] of [
    [200, '{"ok":false,"error":"channel_not_found"}', 'channel_not_found'],
    [200, '{"ok":false}', 'status 200'],
    [200, '{"ok":"true"}', 'status 200'],
    [200, '<html>', 'status 200'],
    [200, 'null', 'status 200'],
    [200, '', 'status 200'],
    [500, '{"ok":true}', 'status 500'],
    [429, '{"ok":false,"error":"ratelimited"}', 'ratelimited'],
  ] as const) {
    test(`the answer ${status} ${body || 'nothing'} is an error: ${details}`, () => {
      expect(outputsOf(answer(status, body))).toMatchObject({
        outputs: {
          error_status: true,
          message: `Failed to send Slack notification. Internal error details: ${details}`,
          status_code: status,
        },
      });
    });
  }

  test('a missing answer is an error', () => {
    expect(outputsOf({ kind: 'timeout', phase: 'headers' })).toMatchObject({
      outputs: { error_status: true, message: 'Failed to send Slack notification. Internal error details: no answer in time (headers)' },
    });
  });
});

test('slack_notification refuses files, a cooldown beyond 15 minutes, and invalid operations', () => {
  expect(faultsOf(slackNotification, { ...manifest, attachments: {}, cooldown_seconds: 900, fire_and_forget: '$inputs.f' })).toEqual([]);
  expect(faultsOf(slackNotification, { ...manifest, attachments: { 'report.csv': '$steps.csv.csv_content' } })).toEqual([
    'attachments: this step cannot send files to Slack; remove it, and put a link into the message',
  ]);
  for (const given of [
    { cooldown_seconds: 901 },
    { cooldown_seconds: -1 },
    { cooldown_session_key: undefined },
    { fire_and_forget: 'maybe' },
    { message_parameters: { a: null } },
    { message_parameters_operations: { a: [{ type: 'Nope' }] } },
  ]) {
    expect(faultsOf(slackNotification, { ...manifest, ...given })).toHaveLength(1);
  }
});
