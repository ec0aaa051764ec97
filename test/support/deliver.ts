// The plan of a step that sends, as step types of tests make it: awaited, and a success is a 2xx.

import { NO_RETRY, readRetryPolicy } from '../../src/core/delivery/retry.ts';
import type { StepPlan } from '../../src/steps/step-type.ts';

/** `retry` is a manifest's. */
export function deliver(url: string, body: Uint8Array | null, retry?: unknown): Extract<StepPlan, { kind: 'deliver' }> {
  return {
    kind: 'deliver',
    message: {
      transport: 'http',
      method: 'POST',
      url,
      headers: {},
      body: body === null ? null : [body],
      timeoutMs: 5000,
      redirects: 'refuse',
      succeeds: '2xx',
      signingSecret: null,
    },
    retry: readRetryPolicy(retry, NO_RETRY),
    outcome: null,
  };
}
