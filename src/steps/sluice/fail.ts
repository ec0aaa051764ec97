// sluice/fail@v1: fails on purpose, to end a run with a reason or to test a retry policy.

import type { StepType } from '../step-type.ts';

interface FailManifest {
  message?: unknown;
  code?: string;
  times?: number;
}

export const fail: StepType<FailManifest> = {
  type: 'sluice/fail@v1',
  nulls: 'take',
  summary: 'Fails on purpose: to end a run with a reason, or to test a retry policy.',
  properties: {
    message: { type: 'string', description: 'the message of the error' },
    code: {
      type: 'string',
      pattern: '^[a-z][a-z0-9_]{0,63}$',
      description: 'must be an error code of lower-case letters, digits and "_"',
    },
    times: { type: 'integer', minimum: 0, description: 'how many attempts fail before one completes; by default all fail' },
  },
  required: [],
  outputs: () => ['attempts'],
  plan: ({ message, code = 'failed', times = Number.POSITIVE_INFINITY }, { attempt }) =>
    attempt > times
      ? { kind: 'completed', outputs: { attempts: attempt } }
      : {
          kind: 'failed',
          retryable: true,
          error: { code, message: message === undefined || message === null ? 'the workflow failed on purpose' : String(message) },
        },
};
