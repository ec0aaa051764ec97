// A text message through Twilio's API, and the meaning of its response.

import type { OutboundMessage, OutboundResult } from '../../../core/delivery/outbound.ts';
import { responseObject } from '../../../core/delivery/response-object.ts';
import { encodePairs } from '../../../core/python/form-encoding.ts';
import type { JsonSchema } from '../../../core/schema.ts';
import { noAnswerText } from '../../shared/notification.ts';
import { text } from '../../shared/property-schemas.ts';
import { readServiceUrl, readText } from '../../shared/setting-values.ts';

export interface TwilioAccount {
  twilio_account_sid?: unknown;
  twilio_auth_token?: unknown;
  sender_number?: unknown;
  receiver_number: unknown;
  api_url?: unknown;
}

const DEFAULT_API_URL = 'https://api.twilio.com';

export const twilioProperties = {
  twilio_account_sid: text('the SID of the Twilio account, or a selector of it'),
  twilio_auth_token: text('the token of the account; use a selector of a secret'),
  sender_number: text("the sender's number, such as +15551234567, or a selector of it"),
  receiver_number: text("the receiver's number, or a selector of it"),
  api_url: text("the URL of Twilio's API, to use a region or a proxy", DEFAULT_API_URL),
} satisfies Record<string, JsonSchema>;

const TIMEOUT_MS = 30_000;

export function twilioMessage(account: TwilioAccount, body: string, mediaUrls: readonly string[]): OutboundMessage {
  const sid = encodeURIComponent(readText('twilio_account_sid', account.twilio_account_sid));
  const token = encodeURIComponent(readText('twilio_auth_token', account.twilio_auth_token));
  const api = readServiceUrl('api_url', account.api_url ?? DEFAULT_API_URL);
  const form = {
    To: readText('receiver_number', account.receiver_number),
    From: readText('sender_number', account.sender_number),
    Body: body,
    MediaUrl: mediaUrls,
  };
  return {
    transport: 'http',
    method: 'POST',
    // In the URL, not in a header: a secret is resolved only when the message is sent, and is base64-encoded then.
    url: `${api.replace('://', `://${sid}:${token}@`)}/2010-04-01/Accounts/${sid}/Messages.json`,
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: [new TextEncoder().encode(encodePairs(form))],
    timeoutMs: TIMEOUT_MS,
    redirects: 'refuse',
    succeeds: '2xx',
    signingSecret: null,
  };
}

/** Null when Twilio accepted the message. */
export function twilioFault(result: OutboundResult): string | null {
  if (result.kind !== 'response') return noAnswerText(result);
  if (result.status >= 200 && result.status < 300) return null;
  const { message } = responseObject(result.body);
  return `HTTP ${result.status} error: ${typeof message === 'string' ? message : result.reason}`.trim();
}

const TRUNCATION_MARKER = ' [...]';

/** Truncates to `limit` characters, including the truncation marker. */
export function truncateMessage(text: string, limit: number): string {
  const characters = Array.from(text);
  if (characters.length <= limit) return text;
  return characters.slice(0, Math.max(0, limit - TRUNCATION_MARKER.length)).join('') + TRUNCATION_MARKER;
}
