// roboflow_core/slack_notification@v1: posts a message to a Slack channel by Slack's chat.postMessage.

import type { OutboundMessage, OutboundResult } from '../../core/delivery/outbound.ts';
import { responseObject } from '../../core/delivery/response-object.ts';
import {
  cooldownKey,
  interpretNotification,
  NOTIFICATION_OUTPUTS,
  type NotificationManifest,
  noAnswerText,
  notificationProperties,
  planNotification,
  sessionCooldownProperties,
} from '../shared/notification.ts';
import { withOperations } from '../shared/operations-outcome.ts';
import { selectors, text } from '../shared/property-schemas.ts';
import { readServiceUrl, readText } from '../shared/setting-values.ts';
import type { StepType } from '../step-type.ts';
import { type MessageManifest, messageFaults, messageProperties, messageText } from './parts/message-text.ts';

interface SlackNotificationManifest extends MessageManifest, NotificationManifest {
  slack_token: unknown;
  channel: unknown;
  attachments?: Readonly<Record<string, unknown>>;
  cooldown_session_key: string;
  api_url?: unknown;
}

const TIMEOUT_MS = 30_000;
const DEFAULT_API_URL = 'https://slack.com/api';

export const slackNotification: StepType<SlackNotificationManifest> = {
  type: 'roboflow_core/slack_notification@v1',
  summary: 'Posts a message to a Slack channel.',
  properties: {
    slack_token: text('the token of a Slack bot or user with the scope chat:write; use a selector of a secret'),
    channel: text('the id or name of the channel, or a selector of it'),
    ...messageProperties,
    attachments: selectors('must be absent or empty: the step cannot send files'),
    ...notificationProperties,
    ...sessionCooldownProperties,
    api_url: text("the URL of Slack's API, to use GovSlack or a proxy", DEFAULT_API_URL),
  },
  required: ['slack_token', 'channel', 'message', 'cooldown_session_key'],
  ignoresUnknown: true,
  findFaults: (manifest) => [
    ...messageFaults(manifest),
    ...(Object.keys(manifest.attachments ?? {}).length === 0
      ? []
      : [{ path: 'attachments', message: 'this step cannot send files to Slack; remove it, and put a link into the message' }]),
  ],
  outputs: () => NOTIFICATION_OUTPUTS,
  memoryKey: ({ cooldown_session_key: key }, context) => cooldownKey(context, `slack_notification:${key}`),
  plan: (manifest, context) =>
    withOperations(() => planNotification(manifest, context, () => postMessage(manifest, messageText(manifest, context)))),
  interpret: (_manifest, result, context) => interpretNotification(result, context, 'Slack notification', faultOf),
};

function postMessage(manifest: SlackNotificationManifest, message: string): OutboundMessage {
  const body = { channel: readText('channel', manifest.channel), text: message };
  return {
    transport: 'http',
    method: 'POST',
    url: `${readServiceUrl('api_url', manifest.api_url ?? DEFAULT_API_URL)}/chat.postMessage`,
    headers: {
      Authorization: `Bearer ${readText('slack_token', manifest.slack_token)}`,
      'Content-Type': 'application/json; charset=utf-8',
    },
    body: [new TextEncoder().encode(JSON.stringify(body))],
    timeoutMs: TIMEOUT_MS,
    redirects: 'refuse',
    succeeds: 'json_ok',
    signingSecret: null,
  };
}

/** Slack rejects messages with status 200 and the reason in the body. */
function faultOf(result: OutboundResult): string | null {
  if (result.kind !== 'response') return noAnswerText(result);
  const answer = responseObject(result.body);
  if (answer['ok'] === true && result.status < 300) return null;
  return typeof answer['error'] === 'string' ? answer['error'] : `status ${result.status} ${result.reason}`.trim();
}
