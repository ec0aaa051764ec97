// roboflow_core/twilio_sms_notification@v1: sends a text message through the operator's Twilio account.

import {
  cooldownKey,
  interpretNotification,
  NOTIFICATION_OUTPUTS,
  type NotificationManifest,
  notificationProperties,
  planNotification,
  sessionCooldownProperties,
} from '../shared/notification.ts';
import { withOperations } from '../shared/operations-outcome.ts';
import { integerOrSelector } from '../shared/property-schemas.ts';
import { readInteger, SettingFault } from '../shared/setting-values.ts';
import type { StepType } from '../step-type.ts';
import { type MessageManifest, messageFaults, messageProperties, messageText } from './parts/message-text.ts';
import { type TwilioAccount, truncateMessage, twilioFault, twilioMessage, twilioProperties } from './parts/twilio-message.ts';

interface TwilioSmsNotificationManifest extends MessageManifest, NotificationManifest, TwilioAccount {
  cooldown_session_key: string;
  length_limit?: unknown;
}

export const twilioSmsNotificationV1: StepType<TwilioSmsNotificationManifest> = {
  type: 'roboflow_core/twilio_sms_notification@v1',
  summary: 'Sends a text message through Twilio.',
  properties: {
    ...twilioProperties,
    ...messageProperties,
    ...notificationProperties,
    ...sessionCooldownProperties,
    length_limit: integerOrSelector('the number of characters after which the message is truncated', { default: 160, minimum: 1 }),
  },
  required: ['twilio_account_sid', 'twilio_auth_token', 'message', 'sender_number', 'receiver_number', 'cooldown_session_key'],
  ignoresUnknown: true,
  findFaults: messageFaults,
  outputs: () => NOTIFICATION_OUTPUTS,
  memoryKey: ({ cooldown_session_key: key }, context) => cooldownKey(context, `twilio_sms_notification:${key}`),
  plan: (manifest, context) =>
    withOperations(() =>
      planNotification(manifest, context, () => {
        const limit = readInteger('length_limit', manifest.length_limit ?? 160);
        if (limit < 1) throw new SettingFault('length_limit must be greater than 0');
        return twilioMessage(manifest, truncateMessage(messageText(manifest, context), limit), []);
      }),
    ),
  interpret: (_manifest, result, context) => interpretNotification(result, context, 'Twilio SMS notification', twilioFault),
};
