// sluice/wait_for_request@v1: waits until somebody outside replies through one of the URLs of an earlier step.

import { parseJson } from '../../core/json/json.ts';
import { isReplyId } from '../../core/reply/reply.ts';
import { withOperations } from '../shared/operations-outcome.ts';
import { integerOrSelector } from '../shared/property-schemas.ts';
import { SettingFault } from '../shared/setting-values.ts';
import type { StepOutcome, StepType } from '../step-type.ts';
import { DEFAULT_REPLY_SECONDS, MAX_REPLY_SECONDS, readReplySeconds } from './reply-urls.ts';

interface WaitForRequestManifest {
  reply_id: unknown;
  timeout_seconds?: unknown;
  on_timeout?: 'fail' | 'complete';
}

export const waitForRequest: StepType<WaitForRequestManifest> = {
  type: 'sluice/wait_for_request@v1',
  summary:
    'Waits for the reply to the URLs of a `sluice/reply_urls@v1` step, across restarts. A reply that came earlier completes the step at once.',
  properties: {
    reply_id: { type: 'string', description: 'the output "id" of the step that makes the URLs, such as "$steps.links.id"' },
    timeout_seconds: integerOrSelector('how long to wait', { minimum: 1, maximum: MAX_REPLY_SECONDS, default: DEFAULT_REPLY_SECONDS }),
    on_timeout: {
      enum: ['fail', 'complete'],
      default: 'fail',
      description: '"fail" lets the step fail with the code `timed_out`; "complete" completes it with `timed_out: true`',
    },
  },
  required: ['reply_id'],
  findFaults: ({ reply_id: id }) =>
    IS_ID_OF_STEP.test(String(id))
      ? []
      : [{ path: 'reply_id', message: 'must be the output "id" of the step that makes the URLs, such as "$steps.links.id"' }],
  outputs: () => ['choice', 'body', 'replied_at', 'timed_out'],
  plan: ({ reply_id: id, timeout_seconds: timeout, on_timeout: onTimeout }, { wallNow }) =>
    withOperations(() => {
      if (!isReplyId(id)) throw new SettingFault('reply_id must be the output "id" of a sluice/reply_urls@v1 step');
      const seconds = readReplySeconds('timeout_seconds', timeout);
      const until = new Date(wallNow + 1000 * seconds).toISOString();
      const outcome = onTimeout === 'complete' ? TIMED_OUT : failure(seconds);
      return { kind: 'wait', seconds, outcome, reply: { id, message: `waiting for a reply until ${until}` } };
    }),
  interpret(_manifest, result, { now, wallNow }) {
    if (result.kind !== 'replied') throw new Error(`a reply cannot have the result "${result.kind}"`);
    const { choice, body, at } = result;
    const repliedAt = new Date(wallNow - (now - at)).toISOString();
    const outputs = { choice, body: body === null ? null : parseJson(body), replied_at: repliedAt, timed_out: false };
    return { kind: 'completed', outputs, message: `the reply is "${choice}"` };
  },
};

const IS_ID_OF_STEP = /^\$steps\.[^.]+\.id$/;

const TIMED_OUT: StepOutcome = { kind: 'completed', outputs: { choice: null, body: null, replied_at: null, timed_out: true } };

function failure(seconds: number): StepOutcome {
  return { kind: 'failed', retryable: false, error: { code: 'timed_out', message: `no reply came within ${seconds} s` } };
}
