// Shared logic of notification sinks: cooldown, background or awaited sending, and their outputs.

import type { OutboundMessage, OutboundResult } from '../../core/delivery/outbound.ts';
import { BACKGROUND_RETRY, NO_RETRY, readRetryPolicy } from '../../core/delivery/retry.ts';
import type { JsonSchema } from '../../core/schema.ts';
import { coerceInteger } from '../../core/values/coercion.ts';
import {
  type EffectResult,
  type MemoryKeyContext,
  outboundResult,
  type StepContext,
  type StepOutcome,
  type StepPlan,
} from '../step-type.ts';
import { flagOrSelector, integerOrSelector, text } from './property-schemas.ts';
import { readFlag, readInteger } from './setting-values.ts';

type CompletedOutcome = Extract<StepOutcome, { kind: 'completed' }>;

export interface NotificationManifest {
  fire_and_forget?: unknown;
  disable_sink?: unknown;
  cooldown_seconds?: unknown;
  retry?: unknown;
}

export const notificationProperties: Readonly<Record<string, JsonSchema>> = {
  fire_and_forget: flagOrSelector('send in the background: the step completes at once and does not report failures', true),
  disable_sink: flagOrSelector('disable the step: send nothing', false),
  cooldown_seconds: integerOrSelector('minimum seconds since the last message; 0 disables the cooldown', { default: 5 }),
};

/** Properties of blocks with a cooldown per session key. */
export const sessionCooldownProperties: Readonly<Record<string, JsonSchema>> = {
  cooldown_seconds: integerOrSelector('minimum seconds since the last message; 0 disables the cooldown', {
    default: 5,
    minimum: 0,
    maximum: 900,
  }),
  cooldown_session_key: text('steps with the same key share one cooldown'),
};

/** The three recorded outputs, and the delivery's result as far as known when the step ends, else null. */
export const NOTIFICATION_OUTPUTS = [
  'error_status',
  'throttling_status',
  'message',
  'status_code',
  'response_body',
  'delivery_id',
] as const;

/** The step's memory: `{ last_sent_at }` in ms. */
interface Sent {
  last_sent_at: number;
}

/**
 * Checks first whether to send, then calls `compose`, which returns the message, or the outcome when there is none.
 * Throws SettingFault and the errors of `compose`.
 */
export function planNotification(
  { disable_sink = false, cooldown_seconds = 5, fire_and_forget = true, retry }: NotificationManifest,
  context: StepContext,
  compose: () => OutboundMessage | CompletedOutcome,
): StepPlan {
  if (readFlag('disable_sink', disable_sink)) return notificationOutcome('Sink was disabled by parameter `disable_sink`');
  if (isCoolingDown(readInteger('cooldown_seconds', cooldown_seconds), context)) {
    return notificationOutcome('Sink cooldown applies', { throttling_status: true });
  }
  const message = compose();
  if ('kind' in message) return message;
  const isBackground = readFlag('fire_and_forget', fire_and_forget);
  return {
    kind: 'deliver',
    message,
    retry: readRetryPolicy(retry, isBackground ? BACKGROUND_RETRY : NO_RETRY),
    outcome: isBackground ? notificationOutcome('Notification sent in the background task', { delivery_id: context.deliveryId }) : null,
    remember: { last_sent_at: context.now } satisfies Sent,
  };
}

/** The memory key for the time of the last message. Null when the manifest disables the cooldown, so nothing is stored. */
export function cooldownKey({ written }: MemoryKeyContext, key: string): string | null {
  return coerceInteger(written['cooldown_seconds']) === 0n ? null : key;
}

/** The outcome when the message cannot be composed: the workflow sees the error and continues. */
export function refusedNotification(message: string): CompletedOutcome {
  return notificationOutcome(message, { error_status: true });
}

/**
 * Interprets the result of an awaited message. `subject` names the message in the error text: "Failed to send e-mail".
 * `faultOf` returns the error text, or null on success. `note` is reported in addition.
 */
export function interpretNotification(
  effect: EffectResult,
  { deliveryId }: StepContext,
  subject: string,
  faultOf: (result: OutboundResult) => string | null,
  note = '',
): StepOutcome {
  const result = outboundResult(effect);
  const fault = faultOf(result);
  const text = fault === null ? 'Notification sent successfully' : `Failed to send ${subject}. Internal error details: ${fault}`;
  return notificationOutcome(text + note, {
    error_status: fault !== null,
    status_code: result.kind === 'response' ? result.status : null,
    response_body: result.kind === 'response' ? new TextDecoder().decode(result.body) : null,
    delivery_id: deliveryId,
  });
}

/** The error text of a message without a response. */
export function noAnswerText(result: Exclude<OutboundResult, { kind: 'response' }>): string {
  return result.kind === 'timeout' ? `no answer in time (${result.phase})` : result.reason;
}

function isCoolingDown(seconds: number, { memory, now }: StepContext): boolean {
  const lastSentAt = (memory as Partial<Sent> | null)?.last_sent_at;
  if (typeof lastSentAt !== 'number') return false;
  const elapsedMs = now - lastSentAt;
  // A clock that was set back must not silence the sink until it catches up.
  return elapsedMs >= 0 && elapsedMs < seconds * 1000;
}

function notificationOutcome(
  message: string,
  outputs: Partial<Record<(typeof NOTIFICATION_OUTPUTS)[number], unknown>> = {},
): CompletedOutcome {
  return {
    kind: 'completed',
    outputs: {
      error_status: false,
      throttling_status: false,
      message,
      status_code: null,
      response_body: null,
      delivery_id: null,
      ...outputs,
    },
  };
}
