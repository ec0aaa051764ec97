// sluice/http_request@v1: sends an HTTP request as a delivery, waits for its answer, and outputs the answer.

import { HMAC_ALGORITHMS, HMAC_ENCODINGS } from '../../core/delivery/outbound.ts';
import { NO_RETRY, readRetryPolicy } from '../../core/delivery/retry.ts';
import type { Fault } from '../../core/fault.ts';
import type { JsonSchema } from '../../core/schema.ts';
import { keptHeaders } from '../../core/secrets/caller-secrets.ts';
import { noAnswerText } from '../shared/notification.ts';
import { failedStep, withOperations } from '../shared/operations-outcome.ts';
import { selector } from '../shared/property-schemas.ts';
import { outboundResult, type StepOutcome, type StepType } from '../step-type.ts';
import { answerBody } from './answer-body.ts';
import { bodySettings, DEFAULT_METHOD, type RequestSettings, requestMessage } from './request-message.ts';
import {
  addressFaults,
  HEADER_NAME,
  headerFaults,
  headerSchema,
  SCALARS,
  secretSelector,
  signingSecretSchema,
  timeoutSchema,
} from './request-schemas.ts';

interface HttpRequestManifest extends RequestSettings {
  retry?: unknown;
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;
const WITHOUT_BODY = ['GET', 'HEAD'];
const scalarsByName = (description: string): JsonSchema => ({
  type: 'object',
  additionalProperties: { type: [...SCALARS, 'array'], items: { type: SCALARS } },
  description,
});

export const httpRequest: StepType<HttpRequestManifest> = {
  type: 'sluice/http_request@v1',
  nulls: 'take',
  summary: 'Sends an HTTP request, waits for the answer, and outputs it. Any answer but 2xx fails the step.',
  properties: {
    url: { type: 'string', description: 'the URL to send to, or a selector of it' },
    method: { enum: [...METHODS], default: DEFAULT_METHOD, description: 'the method' },
    query: scalarsByName('parameters to add to the query, by name: values, lists of values, or selectors; null adds none'),
    headers: headerSchema('the headers by name, each a value or a selector; null sends none'),
    json: { description: 'any value to send as JSON; selectors are found at any depth' },
    form: scalarsByName('the fields of a form to send, by name: values, lists of values, or selectors'),
    text: { type: 'string', description: 'text to send, or a selector of it' },
    base64: { type: 'string', description: 'bytes to send as base64 text, or a selector of it' },
    file: selector('a received file to send, such as "$request.body" or "$request.files.0", or bytes of an operation'),
    timeout_seconds: timeoutSchema,
    accept_statuses: {
      type: 'array',
      items: { type: 'integer', minimum: 300, maximum: 599 },
      description: 'statuses that complete the step beside 2xx, such as [404]; they are not retried',
    },
    signing_secret: signingSecretSchema,
    hmac: hmacSchema(),
  },
  required: ['url'],
  findFaults: (manifest) => [...addressFaults(manifest.url), ...headerFaults('headers', manifest.headers), ...bodyFaults(manifest)],
  outputs: () => ['status', 'headers', 'body', 'body_base64', 'is_truncated', 'delivery_id'],
  plan: (manifest, context) =>
    withOperations(() => ({
      kind: 'deliver',
      message: requestMessage(manifest, context),
      retry: readRetryPolicy(manifest.retry, NO_RETRY),
      outcome: null,
    })),
  interpret({ accept_statuses: accepted = [] }, effect, { deliveryId }): StepOutcome {
    const result = outboundResult(effect);
    if (result.kind !== 'response') return failedStep('delivery_failed', noAnswerText(result));
    const { status, reason, headers, isTruncated } = result;
    const message = `the receiver answered ${`${status} ${reason}`.trim()}`;
    const isAccepted = (status >= 200 && status < 300) || accepted.some((item) => Number(item) === status);
    if (!isAccepted) return failedStep('delivery_failed', message);
    const outputs = { status, headers: keptHeaders(headers), ...answerBody(result), is_truncated: isTruncated, delivery_id: deliveryId };
    return { kind: 'completed', outputs, message };
  },
};

function hmacSchema(): JsonSchema {
  return {
    type: 'object',
    additionalProperties: false,
    required: ['header', 'secret'],
    properties: {
      header: { type: 'string', pattern: HEADER_NAME, description: 'must be the name of a header' },
      secret: secretSelector('must be a selector of a secret, such as "$steps.secrets.key"'),
      algorithm: { enum: [...HMAC_ALGORITHMS] },
      encoding: { enum: [...HMAC_ENCODINGS] },
      prefix: { type: 'string', pattern: '^[\\x20-\\x7e]{0,100}$', description: 'must be at most 100 ASCII characters' },
      text: { type: 'string' },
    },
    description:
      'a header with the HMAC of the body, or of `text`, computed when the message is sent: `header`, `secret`, `algorithm` (sha256), `encoding` (hex), `prefix`, `text`',
  };
}

function bodyFaults(manifest: HttpRequestManifest): Fault[] {
  const { method = DEFAULT_METHOD } = manifest;
  const [first, second] = bodySettings(manifest);
  if (first === undefined) return [];
  if (WITHOUT_BODY.includes(method)) return [{ path: first, message: `a ${method} has no body; set method, such as "POST"` }];
  return second === undefined ? [] : [{ path: second, message: `a request has one body, and "${first}" is another one` }];
}
