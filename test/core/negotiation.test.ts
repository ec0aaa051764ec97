// The answer that a trigger gets: decided from the sink's setting, `Accept` and `Prefer`, whatever they hold.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { negotiateAnswer, type SinkResponse } from '../../src/core/sink/response/response-mode.ts';

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

const custom = (headers: Record<string, string>, body: unknown): SinkResponse => ({ mode: 'custom', status: 200, headers, body });
const AXIOS = 'application/json, text/plain, */*';

/** A sink's setting, an Accept, and the mode of the answer. */
const written: [string, SinkResponse, string, string][] = [
  ['accepts', { mode: 'accept', status: 202 }, AXIOS, 'accept'],
  ['accepts', { mode: 'accept', status: 202 }, 'application/json', 'accept'],
  ['accepts', { mode: 'accept', status: 202 }, 'application/json;q=0', 'accept'],
  ['accepts', { mode: 'accept', status: 202 }, 'text/event-stream', 'stream'],
  ['accepts', { mode: 'accept', status: 202 }, 'text/event-stream, */*;q=0', 'stream'],
  ['accepts', { mode: 'accept', status: 202 }, 'application/json;q=0.1, text/event-stream', 'accept'],
  ['redirects', { mode: 'redirect', location: '/' }, AXIOS, 'redirect'],
  ['redirects', { mode: 'redirect', location: '/' }, 'application/json, */*;q=0', 'wait'],
  ['waits', { mode: 'wait' }, 'application/json', 'wait'],
  ['waits', { mode: 'wait' }, 'text/event-stream, */*;q=0.1', 'wait'],
  ['streams by its own word', { mode: 'stream', isWritten: true }, AXIOS, 'stream'],
  ['streams by its own word', { mode: 'stream', isWritten: true }, 'application/json, text/*', 'stream'],
  ['streams by its own word', { mode: 'stream', isWritten: true }, 'application/json', 'wait'],
  ['lets a step answer', { mode: 'respond', waitMs: null }, AXIOS, 'respond'],
  ['lets a step answer', { mode: 'respond', waitMs: null }, 'application/json', 'respond'],
  ['lets a step answer', { mode: 'respond', waitMs: null }, 'image/png', 'respond'],
  ['lets a step answer', { mode: 'respond', waitMs: null }, 'text/event-stream', 'stream'],
  ['lets a step answer', { mode: 'respond', waitMs: null }, 'text/event-stream, application/json;q=0.1', 'respond'],
  ['says nothing', { mode: 'stream' }, AXIOS, 'wait'],
  ['says nothing', { mode: 'stream' }, 'application/json', 'wait'],
  ['says nothing', { mode: 'stream' }, 'text/html, */*', 'stream'],
  ['answers with JSON', custom({}, { ok: true }), 'application/json', 'custom'],
  ['answers with JSON', custom({}, { ok: true }), 'application/vnd.api+json', 'custom'],
  ['answers with JSON', custom({}, { ok: true }), 'text/event-stream', 'stream'],
  ['answers without content', custom({}, null), 'application/json', 'custom'],
  ['answers with text', custom({}, 'ok'), 'application/json', 'wait'],
  ['answers with text', custom({}, 'ok'), 'application/json, text/*;q=0.1', 'custom'],
  ['answers with text', custom({}, '$$5'), 'application/json', 'wait'],
  ['answers with what a run decides', custom({}, '$output.x'), 'application/json', 'custom'],
  ['answers with a type that a run decides', custom({ 'Content-Type': '$output.type' }, 'x'), 'application/json', 'custom'],
  ['names its type', custom({ 'Content-Type': 'Application/Problem+JSON; charset=utf-8' }, 'x'), 'application/json', 'custom'],
  ['names another type', custom({ 'content-type': 'text/plain' }, { ok: true }), 'application/json', 'wait'],
];
for (const [what, response, accept, mode] of written) {
  test(`Accept: ${accept} at a sink that ${what} is answered by "${mode}"`, () => {
    expect(negotiateAnswer(response, accept, undefined).response.mode).toBe(mode);
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

test('a sink that lets a step answer waits as long as it says, unless the caller says otherwise', () => {
  const waits = (waitMs: number | null, prefer?: string) => negotiateAnswer({ mode: 'respond', waitMs }, undefined, prefer).waitMs;
  expect([waits(null), waits(1500), waits(1500, 'wait=5')]).toEqual([30_000, 1500, 5000]);
});

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
