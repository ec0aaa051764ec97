// email_notification: the message of both versions, inline and attached images, and the server's answer.

import { describe, expect, test } from 'vitest';
import type { MailMessage } from '../../../src/core/delivery/outbound.ts';
import { ImagesWanted } from '../../../src/core/uql/image.ts';
import { Bytes } from '../../../src/core/values/bytes.ts';
import { emailNotificationV1 } from '../../../src/steps/roboflow/email-notification-v1.ts';
import { emailNotificationV2 } from '../../../src/steps/roboflow/email-notification-v2.ts';
import type { StepContext, StepPlan } from '../../../src/steps/step-type.ts';
import { answer, faultsOf, NOW, planOfKind, stepContext } from './step-context.ts';

const v1 = {
  subject: 'Alert',
  message: 'Found {{ $parameters.what }}\nnow',
  message_parameters: { what: '<b>"cats" & \'dogs\'</b>' },
  sender_email: 'a@example.org',
  receiver_email: 'b@example.org',
  smtp_server: 'smtp.example.org',
  sender_email_password: 'pass',
};
const v2 = { ...v1, email_provider: 'Custom SMTP' };

const SHA256 = 'a'.repeat(64);
const file = { name: 'photo', filename: 'cat.png', content_type: 'image/png', size: 12, sha256: SHA256 };
const withFile: Partial<StepContext> = { roots: { inputs: {}, steps: {}, request: { files: [file] } } };
const image = { type: 'base64', value: '/9j/AA==' };
const JPEG = new Uint8Array([0xff, 0xd8, 0xff]);

const planV1 = (given: object = {}, context: Partial<StepContext> = {}): StepPlan =>
  emailNotificationV1.plan({ ...v1, ...given }, stepContext(context));
const planV2 = (given: object = {}, context: Partial<StepContext> = {}): StepPlan =>
  emailNotificationV2.plan({ ...v2, ...given }, stepContext(context));

function mailOf(planned: StepPlan): MailMessage {
  return planOfKind(planned, 'deliver').message as MailMessage;
}

function textOf(content: unknown): string {
  return new TextDecoder().decode(content as Uint8Array);
}

describe('both versions', () => {
  for (const [version, plan] of [
    ['v1', planV1],
    ['v2', planV2],
  ] as const) {
    test(`email_notification@${version} sends through the sender's server to one or many receivers`, () => {
      expect(mailOf(plan())).toMatchObject({
        transport: 'smtp',
        host: 'smtp.example.org',
        port: 465,
        user: 'a@example.org',
        password: 'pass',
        from: 'a@example.org',
        to: ['b@example.org'],
        cc: [],
        bcc: [],
        subject: 'Alert',
      });
      const many = { receiver_email: ['b@x', 'c@x'], cc_receiver_email: 'd@x', bcc_receiver_email: ['e@x'], smtp_port: 2465 };
      expect(mailOf(plan(many))).toMatchObject({ to: ['b@x', 'c@x'], cc: ['d@x'], bcc: ['e@x'], port: 2465 });
      expect(mailOf(plan({ cc_receiver_email: null }))).toMatchObject({ cc: [] });
    });

    test(`email_notification@${version} sends in the background, and remembers the time for the cooldown of its step`, () => {
      expect(plan()).toMatchObject({
        remember: { last_sent_at: NOW },
        outcome: { outputs: { message: 'Notification sent in the background task' } },
      });
      expect(plan({}, { memory: { last_sent_at: NOW - 4999 } })).toMatchObject({ outputs: { throttling_status: true } });
    });

    test(`email_notification@${version} sends no e-mail without receivers`, () => {
      expect(plan({ receiver_email: [] })).toMatchObject({
        kind: 'completed',
        outputs: { error_status: true, message: 'E-mail notification must have at least one receiver defined.' },
      });
    });

    test(`email_notification@${version} refuses line breaks in headers`, () => {
      for (const given of [
        { subject: 'a\r\nBcc: evil@x' },
        { receiver_email: 'b@x\nc@x' },
        { receiver_email: ['b@x', 'c@x\rd@x'] },
        { cc_receiver_email: 'c\n@x' },
        { bcc_receiver_email: ['\n'] },
        { sender_email: 'a@x\n' },
        { smtp_server: 'host\n' },
        { sender_email_password: 'p\r' },
      ]) {
        expect(plan(given)).toMatchObject({
          kind: 'failed',
          error: { code: 'invalid_setting', message: expect.stringContaining('must be one line') },
        });
      }
    });

    test(`email_notification@${version} fails for settings that are not text`, () => {
      for (const given of [{ subject: 5 }, { receiver_email: { a: 1 } }, { receiver_email: [null] }, { smtp_server: ['x'] }]) {
        expect(plan(given)).toMatchObject({ kind: 'failed', error: { code: 'invalid_setting' } });
      }
    });

    test(`email_notification@${version} attaches text, bytes and received files unchanged`, () => {
      const attachments = { 'report.csv': 'a,b\n', 'raw.bin': new Bytes(JPEG), 'data.txt': { k: [1, null] }, 'photo.png': { ...file } };
      const sent = mailOf(plan({ attachments }, withFile)).attachments;
      expect(sent.map(({ filename, contentType, cid }) => [filename, contentType, cid])).toEqual([
        ['report.csv', null, null],
        ['raw.bin', null, null],
        ['data.txt', null, null],
        ['photo.png', 'image/png', null],
      ]);
      expect(textOf(sent[0]?.content)).toBe('a,b\n');
      expect(sent[1]?.content).toEqual(JPEG);
      expect(textOf(sent[2]?.content)).toBe("{'k': [1, None]}");
      expect(sent[3]?.content).toEqual({ sha256: SHA256, size: 12 });
    });

    test(`email_notification@${version} never attaches a file that did not come with the request`, () => {
      const imitated = { ...file, sha256: 'b'.repeat(64) };
      const [sent] = mailOf(plan({ attachments: { 'photo.png': imitated } }, withFile)).attachments;
      expect(textOf(sent?.content)).toContain("'filename': 'cat.png'");
    });
  }
});

describe('v1', () => {
  test('email_notification@v1 sends plain text without markup', () => {
    expect(mailOf(planV1())).toMatchObject({ text: 'Found <b>"cats" & \'dogs\'</b>\nnow', html: null });
  });

  test('email_notification@v1 fails without a server or a password', () => {
    expect(planV1({ sender_email_password: null })).toMatchObject({
      kind: 'failed',
      error: { message: 'sender_email_password must be text, but is null' },
    });
  });
});

describe('v2', () => {
  test('email_notification@v2 sends HTML with escaped parameters and line breaks', () => {
    expect(mailOf(planV2())).toMatchObject({
      text: null,
      html: 'Found &lt;b&gt;&quot;cats&quot; &amp; &#x27;dogs&#x27;&lt;/b&gt;<br>\nnow',
    });
  });

  test('email_notification@v2 shows images where the message names them', () => {
    const given = {
      message: 'See {{ $parameters.shot }} {{ $parameters.shot }} {{ $parameters.photo }}',
      message_parameters: { shot: image, photo: { ...file } },
    };
    const mail = mailOf(planV2(given, withFile));
    const tag = (name: string): string => `<img src="cid:image_${name}" alt="${name}" style="max-width: 600px; height: auto;">`;
    expect(mail.html).toBe(`See ${tag('shot')} ${tag('shot')} ${tag('photo')}`);
    expect(mail.attachments).toEqual([
      { filename: 'image_shot.jpg', content: JPEG, contentType: 'image/jpeg', cid: 'image_shot' },
      { filename: 'cat.png', content: { sha256: SHA256, size: 12 }, contentType: 'image/png', cid: 'image_photo' },
    ]);
  });

  test('email_notification@v2 attaches images as JPEG with a matching name', () => {
    const sent = mailOf(
      planV2({ attachments: { shot: image, 'b.JPEG': image, 'c.png': `data:image/png;base64,${image.value}` } }),
    ).attachments;
    expect(sent.map(({ filename }) => filename)).toEqual(['shot.jpg', 'b.JPEG', 'c.png.jpg']);
    for (const { content, contentType } of sent) expect([content, contentType]).toEqual([JPEG, 'image/jpeg']);
  });

  test('email_notification@v2 requests all its images at once', () => {
    const images: StepContext['images'] = {
      size: () => ({ width: 1, height: 1 }),
      jpeg(wanted, quality) {
        throw new ImagesWanted([{ image: wanted, form: { kind: 'jpeg', quality } }]);
      },
    };
    const other = { type: 'base64', value: '/9j/BB==' };
    const given = { message: '{{ $parameters.a }}', message_parameters: { a: image }, attachments: { 'b.jpg': other, 'c.jpg': image } };
    expect(planOfKind(planV2(given, { images }), 'load').wants.map((want) => want.image)).toEqual([image, other, image]);
  });

  test('email_notification@v2 names the missing settings of the server and sends nothing', () => {
    for (const given of [{ sender_email: null }, { smtp_server: undefined }, { sender_email_password: '' }]) {
      expect(planV2(given)).toMatchObject({
        kind: 'completed',
        outputs: { error_status: true, message: 'Custom SMTP requires sender_email, smtp_server, and sender_email_password' },
      });
    }
  });

  test("email_notification@v2 refuses Roboflow's own account, which is the default", () => {
    expect(faultsOf(emailNotificationV2, v2)).toEqual([]);
    for (const provider of [undefined, 'Roboflow Managed API Key']) {
      expect(faultsOf(emailNotificationV2, { ...v2, email_provider: provider })).toEqual([
        'email_provider: must be "Custom SMTP": "Roboflow Managed API Key", the default, needs Roboflow\'s servers',
      ]);
    }
  });
});

test('an e-mail is not sent to an invalid port, and the message says so', () => {
  for (const [port, shown] of [
    [0, 0],
    ['-1', -1],
    [70_000, 70_000],
    [false, 0],
  ]) {
    expect(emailNotificationV1.plan({ ...v1, smtp_port: port }, stepContext())).toMatchObject({
      kind: 'completed',
      outputs: {
        error_status: true,
        message: `Failed to send e-mail. Internal error details: smtp_port must be from 1 to 65535, but is ${shown}`,
      },
    });
  }
});

test('email_notification refuses no receivers, a port that is not a number, literals as attachments, and invalid operations', () => {
  expect(faultsOf(emailNotificationV1, { ...v1, receiver_email: ['a@x'], attachments: { 'r.csv': '$steps.csv.csv_content' } })).toEqual([]);
  expect(faultsOf(emailNotificationV1, { ...v1, receiver_email: [] })).toEqual([
    'receiver_email: E-mail notification must have at least one receiver defined.',
  ]);
  for (const given of [
    { smtp_port: 'smtp' },
    { smtp_port: 2.5 },
    { attachments: { 'a.txt': 'text' } },
    { receiver_email: 5 },
    { message_parameters_operations: { a: [{}] } },
    { subject: undefined },
  ]) {
    expect(faultsOf(emailNotificationV1, { ...v1, ...given })).toHaveLength(1);
  }
});

test('the answer of the server decides whether the e-mail was accepted', () => {
  const outputsOf = (status: number, reason: string): unknown =>
    emailNotificationV1.interpret?.(v1, answer(status, '', reason), stepContext());
  expect(outputsOf(250, 'ok')).toMatchObject({
    outputs: { error_status: false, message: 'Notification sent successfully', status_code: 250 },
  });
  expect(outputsOf(535, 'Authentication failed')).toMatchObject({
    outputs: { error_status: true, message: 'Failed to send e-mail. Internal error details: 535 Authentication failed', status_code: 535 },
  });
  expect(
    emailNotificationV2.interpret?.(v2, { kind: 'network', code: 'ECONNREFUSED', reason: 'connection refused' }, stepContext()),
  ).toMatchObject({
    outputs: { error_status: true, message: 'Failed to send e-mail. Internal error details: connection refused', status_code: null },
  });
});
