// roboflow_core/email_notification@v1: sends an e-mail in plain text.

import {
  cooldownKey,
  interpretNotification,
  NOTIFICATION_OUTPUTS,
  type NotificationManifest,
  notificationProperties,
  planNotification,
} from '../shared/notification.ts';
import { withOperations } from '../shared/operations-outcome.ts';
import type { StepType } from '../step-type.ts';
import { plainAttachment } from './parts/email-attachment.ts';
import { type EmailManifest, emailFaults, emailProperties, mailFault, mailMessage } from './parts/email-message.ts';
import { type MessageManifest, messageFaults, messageProperties, messageText } from './parts/message-text.ts';

type EmailNotificationManifest = MessageManifest & NotificationManifest & EmailManifest;

export const emailNotificationV1: StepType<EmailNotificationManifest> = {
  type: 'roboflow_core/email_notification@v1',
  summary: 'Sends an e-mail in plain text.',
  properties: { ...emailProperties, ...messageProperties, ...notificationProperties },
  required: ['subject', 'message', 'sender_email', 'receiver_email', 'smtp_server', 'sender_email_password'],
  ignoresUnknown: true,
  findFaults: (manifest) => [...messageFaults(manifest), ...emailFaults(manifest)],
  outputs: () => NOTIFICATION_OUTPUTS,
  memoryKey: (_manifest, context) => cooldownKey(context, `email_notification:${context.step}`),
  plan: (manifest, context) =>
    withOperations(() =>
      planNotification(manifest, context, () => {
        const text = messageText(manifest, context);
        const attachments = Object.entries(manifest.attachments ?? {}).map(([name, value]) => plainAttachment(name, value, context));
        return mailMessage(manifest, { text, html: null, attachments });
      }),
    ),
  interpret: (_manifest, result, context) => interpretNotification(result, context, 'e-mail', mailFault),
};
