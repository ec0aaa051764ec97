// The answer that a trigger gets: decided from the sink's setting, `Accept` and `Prefer`, whatever they hold.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { negotiateAnswer, type SinkResponse } from '../../src/core/response-mode.ts';

const SETTING: SinkResponse = { mode: 'redirect', location: '/thanks' };

const accepts: [string | undefined, string][] = [
  [undefined, 'redirect'],
  ['*/*', 'redirect'],
  ['text/html, */*;q=0.1', 'redirect'],
  ['application/*', 'redirect'],
  ['text/event-stream', 'stream'],
  ['application/json', 'wait'],
  ['application/json;q=0.5, text/event-stream;q=0.6', 'stream'],
  ['application/json;q=0.6, text/event-stream;q=0.5', 'wait'],
  ['application/json;q=0.5, text/event-stream;q=0.5', 'wait'],
  ['text/event-stream;q=0.5, application/json;q=0.5', 'stream'],
  ['application/json; q=0.000', 'redirect'],
  ['application/json ; charset=utf-8 ; Q=1', 'wait'],
  ['application/json;q=x', 'redirect'],
  ['application/hal+json', 'wait'],
  ['image/svg+json', 'redirect'],
  ['json', 'redirect'],
];
for (const [accept, mode] of accepts) {
  test(`Accept: ${accept} at a sink that redirects is answered by "${mode}"`, () => {
    expect(negotiateAnswer(SETTING, accept, undefined).response.mode).toBe(mode);
  });
}

const preferences: [string, string, number, string | null][] = [
  ['respond-async', 'accept', 30_000, 'respond-async'],
  ['respond-async, wait=5', 'wait', 5000, 'respond-async, wait=5'],
  ['wait=5', 'redirect', 5000, 'wait=5'],
  ['wait="5"', 'redirect', 5000, 'wait=5'],
  ['wait=0', 'redirect', 0, 'wait=0'],
  ['wait=301', 'redirect', 300_000, 'wait=301'],
  ['wait=999999999', 'redirect', 300_000, 'wait=999999999'],
  ['WAIT=5', 'redirect', 5000, 'wait=5'],
  ['wait=1.5', 'redirect', 30_000, null],
  ['wait=-5', 'redirect', 30_000, null],
  ['return=minimal', 'redirect', 30_000, null],
];
for (const [prefer, mode, waitMs, preferenceApplied] of preferences) {
  test(`Prefer: ${prefer} is "${mode}" within ${waitMs} ms`, () => {
    expect(negotiateAnswer(SETTING, undefined, prefer)).toMatchObject({ response: { mode }, waitMs, preferenceApplied });
  });
}

test('no headers make the decision fail, and the wait is always bounded', () => {
  const header = fc.option(
    fc.oneof(
      fc.string(),
      fc
        .array(fc.constantFrom('application/json', 'text/event-stream', ';q=', ',', '0.5', '*', ' ', 'wait=', '9'), { maxLength: 12 })
        .map((parts) => parts.join('')),
    ),
    { nil: undefined },
  );
  fc.assert(
    fc.property(header, header, (accept, prefer) => {
      const { response, waitMs } = negotiateAnswer(SETTING, accept, prefer);
      expect(['stream', 'wait', 'accept', 'redirect']).toContain(response.mode);
      expect(waitMs >= 0 && waitMs <= 300_000).toBe(true);
    }),
    { numRuns: 500 },
  );
});
