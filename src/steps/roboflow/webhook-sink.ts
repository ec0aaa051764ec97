// roboflow_core/webhook_sink@v1: sends an HTTP request with results of the workflow, with the same bytes as Roboflow's
// Webhook Sink block (source 000; recorded cases in test/vectors/webhook_vectors.json). docs/guide-roboflow.md lists the
// intended differences.

import { strOf } from '../../core/python/text.ts';
import { multipartBoundary } from '../shared/multipart-boundary.ts';
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
import { integerOrSelector, operationChains, text } from '../shared/property-schemas.ts';
import { receivedFile } from '../shared/received-file.ts';
import { readInteger } from '../shared/setting-values.ts';
import { redirectNote, webhookFault } from '../shared/webhook-fault.ts';
import { UnsendableRequest, webhookMessage } from '../shared/webhook-message.ts';
import type { StepContext, StepType } from '../step-type.ts';
import { chainFaults, type OperationsByName, transformValues, type Values } from './parts/named-operations.ts';

interface WebhookManifest extends NotificationManifest {
  url: unknown;
  method: string;
  query_parameters?: Values;
  headers?: Values;
  json_payload?: Values;
  json_payload_operations?: OperationsByName;
  multi_part_encoded_files?: Values;
  multi_part_encoded_files_operations?: OperationsByName;
  form_data?: Values;
  form_data_operations?: OperationsByName;
  request_timeout?: unknown;
  signing_secret?: unknown;
}

const DEFAULT_TIMEOUT_SECONDS = 2;
const SUBJECT = 'webhook notification';
const CHAINS = ['json_payload_operations', 'multi_part_encoded_files_operations', 'form_data_operations'] as const;

const SCALARS = ['string', 'number', 'boolean'];
const valuesOf = (types: readonly string[], description: string) => ({
  type: 'object',
  additionalProperties: { type: types },
  description,
});

export const webhookSink: StepType<WebhookManifest> = {
  type: 'roboflow_core/webhook_sink@v1',
  summary: 'Sends an HTTP request with results of the workflow to another system.',
  ignoresUnknown: true,
  properties: {
    url: text('the URL to send to, or a selector of it'),
    method: { enum: ['GET', 'POST', 'PUT'], description: 'must be "GET", "POST" or "PUT"' },
    query_parameters: {
      type: 'object',
      additionalProperties: { type: [...SCALARS, 'array'], items: { type: SCALARS } },
      description: 'parameters to add to the query, by name: values, lists of values, or selectors',
    },
    headers: valuesOf(SCALARS, 'the headers by name, each a value or a selector'),
    json_payload: valuesOf([...SCALARS, 'array', 'object'], 'the fields of a JSON body by name, each a value or a selector'),
    json_payload_operations: operationChains('operations on fields of the JSON body, by field'),
    multi_part_encoded_files: valuesOf(
      [...SCALARS, 'array', 'object'],
      'the files of a multipart body by field, each a value or a selector',
    ),
    multi_part_encoded_files_operations: operationChains('operations on the files, by field'),
    form_data: valuesOf([...SCALARS, 'array', 'object'], 'the fields of a form by name, each a value or a selector'),
    form_data_operations: operationChains('operations on fields of the form, by field'),
    request_timeout: integerOrSelector('limit in seconds for connecting, and for each pause in the response (2)'),
    ...notificationProperties,
    signing_secret: {
      type: 'string',
      pattern: '^\\$[a-z]',
      description:
        'must be a selector of a `whsec_…` secret, such as "$steps.secrets.signing_key"; the message is signed as Standard Webhooks defines',
    },
  },
  required: ['url', 'method'],
  findFaults: (manifest) => CHAINS.flatMap((property) => chainFaults(property, manifest[property])),
  outputs: () => NOTIFICATION_OUTPUTS,
  memoryKey: (_manifest, context) => cooldownKey(context, `webhook_sink:${context.step}`),
  plan: (manifest, context) =>
    withOperations(() =>
      planNotification(manifest, context, () => {
        try {
          return compose(manifest, context);
        } catch (error) {
          if (error instanceof UnsendableRequest) {
            return refusedNotification(`Failed to send ${SUBJECT}. Internal error details: ${error.message}`);
          }
          throw error;
        }
      }),
    ),
  interpret: (manifest, result, context) =>
    interpretNotification(
      result,
      context,
      SUBJECT,
      (answer) => webhookFault(answer, strOf(manifest.url), timeoutOf(manifest)),
      redirectNote(result, manifest.method),
    ),
};

function compose(manifest: WebhookManifest, context: StepContext) {
  const { query_parameters: query = {}, headers = {}, json_payload = {}, multi_part_encoded_files = {}, form_data = {} } = manifest;
  const { url, method, signing_secret: signingSecret = null } = manifest;
  const timeoutSeconds = timeoutOf(manifest);
  const json = transformValues(json_payload, manifest.json_payload_operations ?? {}, context);
  const files = transformValues(multi_part_encoded_files, manifest.multi_part_encoded_files_operations ?? {}, context);
  const form = transformValues(form_data, manifest.form_data_operations ?? {}, context);
  const secret = signingSecret === null ? null : strOf(signingSecret);
  const request = { method, url, query, headers, json, form, files, timeoutSeconds, signingSecret: secret };
  return webhookMessage(request, { boundary: () => multipartBoundary(context), fileOf: (value) => receivedFile(value, context) });
}

const timeoutOf = ({ request_timeout: seconds = DEFAULT_TIMEOUT_SECONDS }: WebhookManifest): number =>
  readInteger('request_timeout', seconds);
