// robovision/camera_webhook@v1: forwards a frame as Robovision's camera inference does (source 002). Adds retries, the
// recorded response, an event filter and an overflow policy for slow receivers.

import type { HttpMessage, OutboundResult } from '../../core/delivery/outbound.ts';
import { BACKGROUND_RETRY, NO_RETRY, readRetryPolicy } from '../../core/delivery/retry.ts';
import { encodeMultipart } from '../../core/form/multipart-writer.ts';
import { strOf } from '../../core/python/text.ts';
import type { Payload } from '../../payloads/payload.ts';
import { multipartBoundary } from '../shared/multipart-boundary.ts';
import { noAnswerText } from '../shared/notification.ts';
import { failedStep, withOperations } from '../shared/operations-outcome.ts';
import { readPayload, UnfitPayload } from '../shared/payload-setting.ts';
import { flagOrSelector, integerOrSelector, numberOrSelector, selector, text } from '../shared/property-schemas.ts';
import { receivedFile } from '../shared/received-file.ts';
import { readFlag, readInteger, readNumber, SettingFault } from '../shared/setting-values.ts';
import { readAddress, readHeaders, refuseBeyondLatin1, UnsendableRequest } from '../shared/webhook-message.ts';
import { outboundResult, type StepContext, type StepOutcome, type StepPlan, type StepType } from '../step-type.ts';
import { cameraForm } from './camera-form.ts';
import { type EventFilter, missingEvent } from './event-filter.ts';
import { type OverflowManifest, overflowFaults, overflowProperties, readOverflow } from './overflow-setting.ts';

interface CameraWebhookManifest extends OverflowManifest {
  url: unknown;
  payload: unknown;
  include_image?: unknown;
  only_classes?: unknown;
  min_confidence?: unknown;
  headers?: Readonly<Record<string, unknown>>;
  request_timeout?: unknown;
  signing_secret?: unknown;
  fire_and_forget?: unknown;
  retry?: unknown;
}

const DEFAULT_TIMEOUT_SECONDS = 10;
const MAX_TIMEOUT_SECONDS = 3600;
const JPEG_QUALITY = 95;
const OUTPUTS = ['sent', 'success', 'status_code', 'response_body', 'message', 'delivery_id'] as const;

export const cameraWebhook: StepType<CameraWebhookManifest> = {
  type: 'robovision/camera_webhook@v1',
  summary: "Sends an image with its masks and predictions in the format of Robovision's camera inference.",
  properties: {
    url: text('the URL to send to, or a selector of it'),
    payload: selector('the payload of a vision platform, such as "$request.payload"'),
    include_image: flagOrSelector('include the image, if the payload has one', true),
    only_classes: {
      title: 'a list of class names, or a selector of one',
      description: 'send only frames with at least one prediction of these classes; the whole frame is sent',
      anyOf: [
        { type: 'array', minItems: 1, items: { type: 'string' } },
        { type: 'string', pattern: '^\\$[a-z]' },
      ],
    },
    min_confidence: numberOrSelector(
      'send only frames with at least one such prediction of this confidence; a prediction without a confidence counts as certain',
      {
        minimum: 0,
        maximum: 1,
      },
    ),
    ...overflowProperties,
    headers: {
      type: 'object',
      additionalProperties: { type: ['string', 'number', 'boolean'] },
      description: 'the headers by name, each a value or a selector',
    },
    request_timeout: integerOrSelector('limit in seconds for connecting, and for each pause in the response', {
      default: DEFAULT_TIMEOUT_SECONDS,
      minimum: 1,
      maximum: MAX_TIMEOUT_SECONDS,
    }),
    signing_secret: {
      type: 'string',
      pattern: '^\\$[a-z]',
      description:
        'must be a selector of a `whsec_…` secret, such as "$steps.secrets.signing_key"; the message is signed as Standard Webhooks defines',
    },
    fire_and_forget: flagOrSelector('send in the background: the step completes at once and does not report failures', true),
  },
  required: ['url', 'payload'],
  findFaults: (manifest) => [
    ...overflowFaults(manifest),
    ...Object.keys(manifest.headers ?? {})
      .filter((name) => name.toLowerCase() === 'content-type')
      .map((name) => ({ path: `headers.${name}`, message: 'is set by the step, because it contains the boundary of the form; remove it' })),
  ],
  outputs: () => OUTPUTS,
  plan: (manifest, context) =>
    withOperations(() => {
      try {
        return plan(manifest, context);
      } catch (error) {
        if (error instanceof UnfitPayload) return failedStep('invalid_payload', error.message);
        if (error instanceof UnsendableRequest) return failedStep('invalid_setting', error.message);
        throw error;
      }
    }),
  interpret(_manifest, effect, { deliveryId }) {
    const result = outboundResult(effect);
    return sendOutcome({ sent: result.kind !== 'dropped', ...answerOf(result), delivery_id: deliveryId });
  },
};

function plan(manifest: CameraWebhookManifest, context: StepContext): StepPlan {
  const payload = readPayload('payload', manifest.payload);
  const missing = missingEvent(payload, readFilter(manifest));
  if (missing !== null) return sendOutcome({ sent: false, message: `not sent: ${missing}` });
  const isBackground = readFlag('fire_and_forget', manifest.fire_and_forget ?? true);
  return {
    kind: 'deliver',
    message: messageOf(manifest, payload, context),
    retry: readRetryPolicy(manifest.retry, isBackground ? BACKGROUND_RETRY : NO_RETRY),
    overflow: readOverflow(manifest),
    outcome: isBackground ? sendOutcome({ sent: true, message: 'sent in the background', delivery_id: context.deliveryId }) : null,
  };
}

function readFilter({ only_classes: classes = null, min_confidence: minConfidence = null }: CameraWebhookManifest): EventFilter {
  if (classes !== null && !(Array.isArray(classes) && classes.every((name) => typeof name === 'string')))
    throw new SettingFault('only_classes must be a list of class names');
  return { classes, minConfidence: minConfidence === null ? null : readNumber('min_confidence', minConfidence) };
}

function messageOf(manifest: CameraWebhookManifest, payload: Payload, context: StepContext): HttpMessage {
  const {
    include_image: includesImage = true,
    request_timeout: timeout = DEFAULT_TIMEOUT_SECONDS,
    signing_secret: secret = null,
  } = manifest;
  const timeoutSeconds = readInteger('request_timeout', timeout);
  if (timeoutSeconds < 1 || timeoutSeconds > MAX_TIMEOUT_SECONDS)
    throw new SettingFault(`request_timeout must be from 1 to ${MAX_TIMEOUT_SECONDS} seconds, but is ${timeoutSeconds}`);
  const headers = readHeaders(manifest.headers ?? {});
  refuseBeyondLatin1(headers);
  const boundary = multipartBoundary(context);
  const parts = cameraForm(payload, readFlag('include_image', includesImage), {
    fileOf: (value) => receivedFile(value, context),
    jpegOf: (image) => context.images.jpeg(image, JPEG_QUALITY),
  });
  return {
    transport: 'http',
    method: 'POST',
    url: readAddress(manifest.url),
    headers: { ...headers, 'Content-Type': `multipart/form-data; boundary=${boundary}` },
    body: encodeMultipart(parts, boundary),
    timeoutMs: timeoutSeconds * 1000,
    redirects: 'refuse',
    succeeds: '2xx',
    signingSecret: secret === null ? null : strOf(secret),
  };
}

function answerOf(result: OutboundResult): Partial<Record<(typeof OUTPUTS)[number], unknown>> {
  if (result.kind !== 'response') return { success: false, message: noAnswerText(result) };
  const { status, reason, body } = result;
  const isSuccess = status >= 200 && status < 300;
  const answer = `the receiver answered ${`${status} ${reason}`.trim()}`;
  return { success: isSuccess, status_code: status, response_body: new TextDecoder().decode(body), message: answer };
}

/** `success` is null when it is unknown or nothing was sent. */
function sendOutcome(outputs: Partial<Record<(typeof OUTPUTS)[number], unknown>>): Extract<StepOutcome, { kind: 'completed' }> {
  const unknown = { success: null, status_code: null, response_body: null, delivery_id: null };
  const all = { ...unknown, ...outputs };
  return { kind: 'completed', outputs: all, message: String(outputs.message) };
}
