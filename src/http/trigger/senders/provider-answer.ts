// The answer to a provider. It reads no stream, and calls again when it waits too long.

import type { AcceptResponse, Answer, SinkResponse } from '../../../core/sink/response-mode.ts';
import { memoizeByIdentity } from '../../../core/values/memoize.ts';
import type { Preset } from '../../../presets/preset.ts';

/** The strictest providers allow three seconds for the whole exchange. */
const MAX_WAIT_MS = 2500;

const atOnce = memoizeByIdentity(
  ({ answer: { status, text } }: Preset): AcceptResponse => ({
    mode: 'accept',
    status,
    content: { status, headers: {}, body: text ?? null },
  }),
);

/** The sink's own response; by default, the answer that the provider expects, at once. It also ends a wait that takes too long. */
export function providerAnswer(preset: Preset, response: SinkResponse): Answer {
  const expected = atOnce(preset);
  return { response: response.mode === 'stream' ? expected : response, waitMs: MAX_WAIT_MS, preferenceApplied: null, afterWait: expected };
}
