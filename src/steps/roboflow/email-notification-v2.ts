// roboflow_core/email_notification@v2: sends an e-mail in HTML, with inline images, through the operator's SMTP server.

import type { MailAttachment } from '../../core/delivery/outbound.ts';
import { strOf } from '../../core/python/text.ts';
import { mapCollectingWants } from '../../core/uql/collect-image-wants.ts';
import {
  cooldownKey,
  interpretNotification,
  NOTIFICATION_OUTPUTS,
  type NotificationManifest,
  notificationProperties,
  planNotification,
  refusedNotification,
} from '../shared/notification.ts';
import { withOperations } from '../shared/operations-outcome.ts';
import { nullable } from '../shared/property-schemas.ts';
import type { StepContext, StepType } from '../step-type.ts';
import { attachment, inlineImage } from './parts/email-attachment.ts';
import { type EmailManifest, emailFaults, emailProperties, mailFault, mailMessage } from './parts/email-message.ts';
import { managedProviderFaults, providerSchema } from './parts/managed-provider.ts';
import { type MessageManifest, messageFaults, messageProperties, messageText } from './parts/message-text.ts';

interface EmailNotificationManifest extends MessageManifest, NotificationManifest, EmailManifest {
  email_provider?: string;
}

const PROVIDER = 'Custom SMTP';

export const emailNotificationV2: StepType<EmailNotificationManifest> = {
  type: 'roboflow_core/email_notification@v2',
  summary: 'Sends an e-mail in HTML. Parameters of the message that are images are shown inline.',
  properties: {
    email_provider: providerSchema(PROVIDER),
    ...emailProperties,
    sender_email: nullable(emailProperties.sender_email),
    smtp_server: nullable(emailProperties.smtp_server),
    sender_email_password: nullable(emailProperties.sender_email_password),
    ...messageProperties,
    ...notificationProperties,
  },
  required: ['subject', 'message', 'receiver_email'],
  ignoresUnknown: true,
  findFaults: (manifest) => [
    ...managedProviderFaults('email_provider', manifest.email_provider, PROVIDER),
    ...messageFaults(manifest),
    ...emailFaults(manifest),
  ],
  outputs: () => NOTIFICATION_OUTPUTS,
  memoryKey: (_manifest, context) => cooldownKey(context, `email_notification:${context.step}`),
  plan: (manifest, context) =>
    withOperations(() =>
      planNotification(manifest, context, () => {
        if (!manifest.sender_email || !manifest.smtp_server || !manifest.sender_email_password) {
          return refusedNotification('Custom SMTP requires sender_email, smtp_server, and sender_email_password');
        }
        return mailMessage(manifest, mailContent(manifest, context));
      }),
    ),
  interpret: (_manifest, result, context) => interpretNotification(result, context, 'e-mail', mailFault),
};

interface Content {
  html: string;
  attachments: MailAttachment[];
}

function mailContent(manifest: EmailNotificationManifest, context: StepContext): Content & { text: null } {
  const parts = mapCollectingWants([shownContent, attachedFiles], (make) => make(manifest, context));
  return { text: null, html: parts.map(({ html }) => html).join(''), attachments: parts.flatMap(({ attachments }) => attachments) };
}

/** The message, and its inline images. */
function shownContent(manifest: EmailNotificationManifest, context: StepContext): Content {
  const attachments: MailAttachment[] = [];
  const html = messageText(manifest, context, (value, name) => {
    const cid = `image_${name}`;
    const image = inlineImage(cid, value, context);
    if (image === null) return escapeHtml(strOf(value));
    attachments.push(image);
    return `<img src="cid:${cid}" alt="${name}" style="max-width: 600px; height: auto;">`;
  });
  return { html: html.replaceAll('\n', '<br>\n'), attachments };
}

function attachedFiles({ attachments: files = {} }: EmailNotificationManifest, context: StepContext): Content {
  return { html: '', attachments: mapCollectingWants(Object.entries(files), ([name, value]) => attachment(name, value, context)) };
}

const HTML_ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#x27;' };

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => HTML_ESCAPES[character] as string);
}
