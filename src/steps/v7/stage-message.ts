// Builds the request of a webhook stage: always a POST of JSON, with address and authorization exactly as configured.

import type { BodyPart, HttpMessage } from '../../core/delivery/outbound.ts';
import { stringifyShown } from '../../core/json/stored-value.ts';
import { isDict } from '../../core/python/kind.ts';
import { asPayload } from '../shared/payload-setting.ts';
import { receivedFile } from '../shared/received-file.ts';
import { urlFault } from '../shared/request-address.ts';
import type { StepContext } from '../step-type.ts';

export interface StageRequest {
  url: unknown;
  authorization: unknown;
  payload: unknown;
  includesAnnotations: boolean;
  timeoutSeconds: number;
}

/** Thrown when the request cannot be built; the message says why. */
export class UnsendablePayload extends Error {}

/** Throws UnsendablePayload. */
export function stageMessage(request: StageRequest, context: Pick<StepContext, 'roots'>): HttpMessage {
  const { url, authorization, timeoutSeconds } = request;
  const fault = urlFault(url) ?? authorizationFault(authorization);
  if (fault !== null) throw new UnsendablePayload(fault);
  const hasAuthorization = authorization !== null && authorization !== '';
  return {
    transport: 'http',
    method: 'POST',
    url: url as string,
    headers: { 'Content-Type': 'application/json', ...(hasAuthorization ? { Authorization: authorization as string } : {}) },
    body: [bodyOf(request, context)],
    timeoutMs: timeoutSeconds * 1000,
    redirects: 'refuse',
    succeeds: '2xx',
    retriesEveryFailure: true,
    signingSecret: null,
  };
}

export function authorizationFault(value: unknown): string | null {
  if (value === null) return null;
  // The characters that fetch and Node allow in a header: a line break would begin another one.
  const isSendable = typeof value === 'string' && /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
  return isSendable ? null : 'authorization_header must be one line of text, such as "ApiKey 1234", or a selector of it';
}

/** The original document, if it is a file of this request; look-alikes do not count. */
function bodyOf({ payload: value, includesAnnotations }: StageRequest, context: Pick<StepContext, 'roots'>): BodyPart {
  if (value === null) throw new UnsendablePayload('there is no payload; set "payload": "v7" on the sink, or select another value');
  const payload = asPayload(value);
  if (includesAnnotations) {
    const document = payload === null ? null : receivedFile(payload.document, context);
    return document === null ? jsonBytes(value) : { sha256: document.sha256, size: document.size };
  }
  if (payload !== null) {
    if (!isDict(payload.metadata))
      throw new UnsendablePayload(`a payload of ${payload.source} has no metadata to send without its annotations`);
    return jsonBytes(payload.metadata);
  }
  if (!isDict(value)) return jsonBytes(value);
  const { annotations: _annotations, ...others } = value;
  return jsonBytes(others);
}

function jsonBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(stringifyShown(value));
}
