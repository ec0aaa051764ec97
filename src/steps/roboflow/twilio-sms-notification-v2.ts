// roboflow_core/twilio_sms_notification@v2: sends a text message, optionally with pictures by URL, through the operator's
// Twilio account. Roboflow's account needs Roboflow's servers.

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
import { nullable, textOrTexts } from '../shared/property-schemas.ts';
import { readLines } from '../shared/setting-values.ts';
import type { StepType } from '../step-type.ts';
import { managedProviderFaults, providerSchema } from './parts/managed-provider.ts';
import { type MessageManifest, messageFaults, messageProperties, messageText } from './parts/message-text.ts';
import { type TwilioAccount, truncateMessage, twilioFault, twilioMessage, twilioProperties } from './parts/twilio-message.ts';

interface TwilioSmsNotificationManifest extends MessageManifest, NotificationManifest, TwilioAccount {
  sms_provider?: string;
  media_url?: unknown;
}

const PROVIDER = 'Custom Twilio';
const LENGTH_LIMIT = 1600;

export const twilioSmsNotificationV2: StepType<TwilioSmsNotificationManifest> = {
  type: 'roboflow_core/twilio_sms_notification@v2',
  summary: 'Sends a text message through Twilio, optionally with pictures.',
  properties: {
    sms_provider: providerSchema(PROVIDER),
    ...twilioProperties,
    twilio_account_sid: nullable(twilioProperties.twilio_account_sid),
    twilio_auth_token: nullable(twilioProperties.twilio_auth_token),
    sender_number: nullable(twilioProperties.sender_number),
    ...messageProperties,
    media_url: nullable(textOrTexts('public URLs of pictures to send with the message')),
    ...notificationProperties,
  },
  required: ['message', 'receiver_number'],
  ignoresUnknown: true,
  findFaults: (manifest) => [...managedProviderFaults('sms_provider', manifest.sms_provider, PROVIDER), ...messageFaults(manifest)],
  outputs: () => NOTIFICATION_OUTPUTS,
  memoryKey: (_manifest, context) => cooldownKey(context, `twilio_sms_notification:step:${context.step}`),
  plan: (manifest, context) =>
    withOperations(() =>
      planNotification(manifest, context, () => {
        if (!manifest.twilio_account_sid || !manifest.twilio_auth_token || !manifest.sender_number) {
          return refusedNotification('Custom Twilio requires twilio_account_sid, twilio_auth_token, and sender_number');
        }
        const text = truncateMessage(messageText(manifest, context), LENGTH_LIMIT);
        return twilioMessage(manifest, text, readLines('media_url', manifest.media_url));
      }),
    ),
  interpret: (_manifest, result, context) => interpretNotification(result, context, 'Twilio SMS notification', twilioFault),
};
