// sluice/forward@v1: passes the request of the run on to one or several URLs as it came, as a delivery to each.

import { BACKGROUND_RETRY, NO_RETRY, readRetryPolicy } from '../../core/delivery/retry.ts';
import type { Fault } from '../../core/fault.ts';
import { mayForward } from '../../core/run/forwarded-request.ts';
import { FORWARD, FORWARD_OUTPUTS, MAX_URLS } from '../../core/workflow/fan-out-step.ts';
import { noAnswerText } from '../shared/notification.ts';
import { failedStep, withOperations } from '../shared/operations-outcome.ts';
import { flagOrSelector } from '../shared/property-schemas.ts';
import { readFlag } from '../shared/setting-values.ts';
import { outboundResult, type StepOutcome, type StepType } from '../step-type.ts';
import { type ForwardSettings, forwardMessage } from './forward-message.ts';
import { addressFaults, HEADER_NAME, headerFaults, headerSchema, signingSecretSchema, timeoutSchema } from './request-schemas.ts';

interface ForwardManifest extends ForwardSettings {
  urls?: readonly unknown[];
  fire_and_forget?: unknown;
  retry?: unknown;
}

export const forward: StepType<ForwardManifest> = {
  type: FORWARD,
  nulls: 'take',
  summary:
    'Passes the request on to one or several URLs as it came: method, body byte for byte, query, and the headers that its sender wrote.',
  properties: {
    url: { type: 'string', description: 'the URL to send to, or a selector of it' },
    urls: {
      type: 'array',
      minItems: 1,
      maxItems: MAX_URLS,
      items: { type: 'string' },
      description:
        'in place of url: several URLs or selectors of one. The step then becomes one step per URL, named {step}__1, {step}__2 and so on, each with retries of its own; an output of {step} is the list of theirs',
    },
    append_path: flagOrSelector("append the part of the path that the `*` of the sink's path matched", false),
    append_query: flagOrSelector('append the query of the request', true),
    headers: {
      type: 'array',
      items: { type: 'string', pattern: HEADER_NAME, description: 'must be the name of a header' },
      description: 'names of the headers to pass on; by default those that the sender itself wrote, signatures among them',
    },
    set_headers: headerSchema('headers to set, by name, each a value or a selector; null sends none of that name'),
    timeout_seconds: timeoutSchema,
    fire_and_forget: flagOrSelector('send in the background: the step completes at once and does not report failures', true),
    signing_secret: signingSecretSchema,
  },
  required: [],
  findFaults: ({ url, urls, headers, set_headers }) => [
    ...receiverFaults(url, urls),
    ...passedFaults(headers),
    ...headerFaults('set_headers', set_headers),
  ],
  outputs: () => FORWARD_OUTPUTS,
  plan: (manifest, context) =>
    withOperations(() => {
      const isBackground = readFlag('fire_and_forget', manifest.fire_and_forget ?? true);
      return {
        kind: 'deliver',
        message: forwardMessage(manifest, context),
        retry: readRetryPolicy(manifest.retry, isBackground ? BACKGROUND_RETRY : NO_RETRY),
        outcome: isBackground ? { kind: 'completed', outputs: { status: null, delivery_id: context.deliveryId } } : null,
      };
    }),
  interpret(_manifest, effect, { deliveryId }): StepOutcome {
    const result = outboundResult(effect);
    if (result.kind !== 'response') return failedStep('delivery_failed', noAnswerText(result));
    const message = `the receiver answered ${`${result.status} ${result.reason}`.trim()}`;
    if (result.status < 200 || result.status >= 300) return failedStep('delivery_failed', message);
    return { kind: 'completed', outputs: { status: result.status, delivery_id: deliveryId }, message };
  },
};

function receiverFaults(url: unknown, urls: readonly unknown[] | undefined): Fault[] {
  if (urls === undefined) return url === undefined ? [{ path: 'url', message: 'is required, or "urls" in its place' }] : addressFaults(url);
  if (url !== undefined) return [{ path: 'urls', message: 'must not be given beside "url"; name every receiver in "urls"' }];
  return urls.flatMap((each, index) => addressFaults(each).map((fault) => ({ ...fault, path: `urls[${index}]` })));
}

function passedFaults(names: readonly string[] = []): Fault[] {
  return names
    .filter((name) => !mayForward(name.toLowerCase()))
    .map((name) => ({ path: 'headers', message: `"${name}" belongs to one connection or holds a credential, and is never passed on` }));
}
