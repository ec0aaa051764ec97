// The answer to a provider. It reads no stream, and calls again when it waits too long.

import { type AcceptResponse, type Answer, MAX_PROVIDER_WAIT_MS, type SinkResponse } from '../../../core/sink/response/response-mode.ts';
import { memoizeByIdentity } from '../../../core/values/memoize.ts';
import type { Preset } from '../../../presets/preset.ts';

const atOnce = memoizeByIdentity(
  ({ answer: { status, text } }: Preset): AcceptResponse => ({
    mode: 'accept',
    status,
    content: { status, headers: {}, body: text ?? null },
  }),
);

/**
 * The sink's own response; by default, the answer that the provider expects, at once. It also ends a wait that takes too long,
 * and answers for a run without a respond step.
 */
export function providerAnswer(preset: Preset, response: SinkResponse): Answer {
  const expected = atOnce(preset);
  const waitMs = (response.mode === 'respond' ? response.waitMs : null) ?? MAX_PROVIDER_WAIT_MS;
  const answer = response.mode === 'stream' ? expected : response;
  return { response: answer, waitMs, preferenceApplied: null, afterWait: expected, unanswered: expected };
}
