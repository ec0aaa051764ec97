// Step types for tests of deliveries: `send` sends the message of its manifest, `secret` outputs a secret.

import type { HttpMessage } from '../../src/core/delivery/outbound.ts';
import type { Overflow } from '../../src/core/delivery/overflow.ts';
import type { EffectResult, StepType } from '../../src/steps/step-type.ts';
import { deliver } from './deliver.ts';

interface SendManifest {
  url: string;
  body?: string;
  /** Replaces `body`, for bytes that are not text. */
  base64?: string;
  headers?: Record<string, string>;
  retry?: unknown;
  /** The step does not wait for the result. */
  background?: boolean;
  overflow?: Overflow;
}

const send: StepType<SendManifest> = {
  type: 'test/send@v1',
  properties: {
    url: { type: 'string' },
    body: { type: 'string' },
    base64: { type: 'string' },
    headers: { type: 'object' },
    background: { type: 'boolean' },
    overflow: { type: 'object' },
  },
  required: ['url'],
  outputs: () => ['status'],
  plan({ url, body = '', base64, headers = {}, retry, background = false, overflow = { policy: 'queue' } }) {
    const plan = deliver(url, base64 === undefined ? Buffer.from(body) : Buffer.from(base64, 'base64'), retry);
    const message: HttpMessage = { ...(plan.message as HttpMessage), headers };
    return { ...plan, message, overflow, outcome: background ? { kind: 'completed', outputs: { status: null } } : null };
  },
  interpret: (_manifest, result) =>
    result.kind === 'response' && result.status < 300
      ? { kind: 'completed', outputs: { status: result.status } }
      : { kind: 'failed', retryable: false, error: { code: 'not_delivered', message: messageOf(result) } },
};

const messageOf = (result: EffectResult): string => `the delivery failed: ${result.kind === 'dropped' ? result.reason : result.kind}`;

const secret: StepType<{ variable: string }> = {
  type: 'test/secret@v1',
  properties: { variable: { type: 'string' } },
  required: ['variable'],
  outputs: () => ['value'],
  plan: ({ variable }, context) => ({ kind: 'completed', outputs: { value: context.secret(variable) } }),
};

const complain: StepType<{ of: string }> = {
  type: 'test/complain@v1',
  properties: { of: { type: 'string' }, after: {} },
  required: ['of'],
  outputs: () => [],
  plan: ({ of }) => ({ kind: 'failed', retryable: false, error: { code: 'complaint', message: `cannot use ${of}` } }),
};

export const sendingSteps: readonly StepType[] = [send, secret, complain] as unknown as readonly StepType[];
