// The plan of a test step that sends: the delivery is awaited, and 2xx is a success.

import { NO_RETRY, readRetryPolicy } from '../../src/core/delivery/retry.ts';
import type { StepPlan } from '../../src/steps/step-type.ts';

/** `retry` is the setting of a manifest. */
export function deliver(url: string, body: Uint8Array | null, retry?: unknown): Extract<StepPlan, { kind: 'deliver' }> {
  return {
    kind: 'deliver',
    message: {
      transport: 'http',
      method: 'POST',
      url,
      headers: {},
      body: body === null ? null : [body],
      timeoutMs: 30_000,
      redirects: 'refuse',
      succeeds: '2xx',
      signingSecret: null,
    },
    retry: readRetryPolicy(retry, NO_RETRY),
    outcome: null,
  };
}
