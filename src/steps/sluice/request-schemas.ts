// Schemas and checks of the settings that Sluice's steps for HTTP requests share.

import type { Fault } from '../../core/fault.ts';
import type { JsonSchema } from '../../core/schema.ts';
import { isSelector } from '../../core/workflow/selector.ts';
import { urlFault } from '../shared/request-address.ts';
import { DEFAULT_TIMEOUT_SECONDS } from './request-message.ts';

export const HEADER_NAME = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$";
export const SCALARS = ['string', 'number', 'boolean', 'null'];
const MAX_TIMEOUT_SECONDS = 300;

export const timeoutSchema: JsonSchema = {
  type: 'number',
  minimum: 0.001,
  maximum: MAX_TIMEOUT_SECONDS,
  default: DEFAULT_TIMEOUT_SECONDS,
  description: 'limit for connecting, and for each pause in the answer',
};

export const signingSecretSchema = secretSelector(
  'must be a selector of a `whsec_…` secret; the message is signed as Standard Webhooks defines',
);

export function secretSelector(description: string): JsonSchema {
  return { type: 'string', pattern: '^\\$[a-z]', description };
}

export function headerSchema(description: string): JsonSchema {
  return { type: 'object', additionalProperties: { type: SCALARS }, description };
}

export function addressFaults(url: unknown): Fault[] {
  const fault = isSelector(url) ? null : urlFault(url);
  return fault === null ? [] : [{ path: 'url', message: fault.replace('url ', '') }];
}

export function headerFaults(path: string, headers: object = {}): Fault[] {
  const isName = new RegExp(HEADER_NAME);
  return Object.keys(headers)
    .filter((name) => !isName.test(name))
    .map((name) => ({ path, message: `${JSON.stringify(name)} is not the name of a header` }));
}
