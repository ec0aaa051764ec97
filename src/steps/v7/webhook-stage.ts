// v7/webhook_stage@v1: V7's Webhook Stage with V7's setting names: posts the item's document, retries failures, and takes
// the edge of the outcome. docs/guide-v7.md says which behaviour is V7's and which is ours.

import { BACKGROUND_RETRY, NO_RETRY, readRetryPolicy } from '../../core/delivery/retry.ts';
import type { Fault } from '../../core/fault.ts';
import { isSelector } from '../../core/workflow/selector.ts';
import { noAnswerText } from '../shared/notification.ts';
import { steps } from '../shared/property-schemas.ts';
import { urlFault } from '../shared/request-address.ts';
import { outboundResult, type StepContext, type StepOutcome, type StepType } from '../step-type.ts';
import { leaveBy, refuse } from './stage-end.ts';
import { authorizationFault, stageMessage, UnsendablePayload } from './stage-message.ts';
import { stagePayload } from './stage-payload.ts';

interface WebhookStageManifest {
  url: unknown;
  authorization_header?: unknown;
  include_annotations?: boolean;
  retry_if_fails?: boolean;
  request_timeout?: number;
  payload?: unknown;
  on_success?: readonly string[];
  on_failure?: readonly string[];
  retry?: unknown;
}

interface Delivered {
  success: boolean;
  status_code: number | null;
  message: string;
  response_body: string | null;
  delivery_id: string | null;
}

const DEFAULT_TIMEOUT_SECONDS = 30;

export const webhookStage: StepType<WebhookStageManifest> = {
  type: 'v7/webhook_stage@v1',
  summary: "V7's Webhook Stage: posts the received document, and chooses the next steps by success or failure.",
  // An item without the value takes the failure edge instead of being skipped.
  nulls: 'take',
  mayLoop: true,
  properties: {
    url: { type: 'string', description: 'the URL to post to, with its query exactly as written' },
    authorization_header: { type: ['string', 'null'], description: 'the whole value of the Authorization header, sent exactly as written' },
    include_annotations: { type: 'boolean', default: true, description: 'send the document as received; otherwise only its metadata' },
    retry_if_fails: { type: 'boolean', default: true, description: 'retry a failed message up to 5 times' },
    request_timeout: {
      type: 'number',
      minimum: 0.001,
      maximum: 300,
      default: DEFAULT_TIMEOUT_SECONDS,
      description: 'limit in seconds for connecting, and for each pause in the response',
    },
    payload: { default: '$request.payload', description: 'the typed payload to send, or any JSON' },
    on_success: steps('the steps to run if the receiver answers 2xx'),
    on_failure: steps('the steps to run after the last attempt has failed; without any, the step fails'),
  },
  required: ['url'],
  findFaults: ({ url, authorization_header: authorization = null }) => [
    ...faultAt('url', isSelector(url) ? null : urlFault(url)),
    ...faultAt('authorization_header', isSelector(authorization) ? null : authorizationFault(authorization)),
  ],
  outputs: () => ['success', 'status_code', 'message', 'response_body', 'delivery_id'] satisfies (keyof Delivered)[],
  plan(manifest, context) {
    try {
      const message = stageMessage(requestOf(manifest, context), context);
      const { retry, retry_if_fails: isRetried = true } = manifest;
      return { kind: 'deliver', message, retry: readRetryPolicy(retry, isRetried ? BACKGROUND_RETRY : NO_RETRY), outcome: null };
    } catch (error) {
      if (!(error instanceof UnsendablePayload)) throw error;
      return leave(manifest, { success: false, status_code: null, message: error.message, response_body: null, delivery_id: null });
    }
  },
  interpret(manifest, effect, { deliveryId }) {
    const result = outboundResult(effect);
    if (result.kind !== 'response') {
      const message = noAnswerText(result);
      return leave(manifest, { success: false, status_code: null, message, response_body: null, delivery_id: deliveryId });
    }
    const { status, reason, body } = result;
    return leave(manifest, {
      success: status >= 200 && status < 300,
      status_code: status,
      message: `the receiver answered ${`${status} ${reason}`.trim()}`,
      response_body: new TextDecoder().decode(body),
      delivery_id: deliveryId,
    });
  },
};

function requestOf(manifest: WebhookStageManifest, context: StepContext): Parameters<typeof stageMessage>[0] {
  return {
    url: manifest.url,
    authorization: manifest.authorization_header ?? null,
    payload: stagePayload(manifest, context),
    includesAnnotations: manifest.include_annotations ?? true,
    timeoutSeconds: manifest.request_timeout ?? DEFAULT_TIMEOUT_SECONDS,
  };
}

/** Takes the edge for success or failure. A failure without an edge fails the run. */
function leave({ on_success: onSuccess = [], on_failure: onFailure = [] }: WebhookStageManifest, delivered: Delivered): StepOutcome {
  if (!delivered.success && onFailure.length === 0) return refuse('delivery_failed', delivered.message);
  return { ...leaveBy(delivered.success ? onSuccess : onFailure, { ...delivered }), message: delivered.message };
}

function faultAt(path: string, fault: string | null): Fault[] {
  return fault === null ? [] : [{ path, message: fault.replace(`${path} `, '') }];
}
