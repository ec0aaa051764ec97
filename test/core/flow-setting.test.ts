// The setting `flow` of a sink: what it may hold, and that a fault names the field and what would be right.

import { describe, expect, test } from 'vitest';
import { flowKeyOf } from '../../src/core/sink/limits/flow-key.ts';
import { writeFlowSetting } from '../../src/core/sink/limits/flow-setting.ts';
import { parseSink } from '../../src/core/sink/sink.ts';

const parse = (flow: unknown) => parseSink({ path: '/in/:id', method: 'POST', flow }, 'shop');
const faultsOf = (flow: unknown): string[] => parse(flow).faults.map(({ path, message }) => `${path}: ${message}`);

describe('flow', () => {
  test.each([
    [{ max_concurrent: 1 }],
    [{ ordering_key: '$request.params.id' }],
    [{ ordering_key: '$request.body.customer', overflow: 'latest_wins', queue_limit: 10_000 }],
    [{ max_concurrent: 1000, overflow: 'drop' }],
    [{ debounce: { seconds: 0.5, max_seconds: 60 } }],
    [{ batch: { size: 100, seconds: 5 } }],
    [{ max_concurrent: 1, queue_limit: 5, batch: { size: 2, seconds: 0.1, key: '$request.body.customer' } }],
    [{ cooldown: { seconds: 60 } }],
    [{ max_concurrent: 2, overflow: 'drop', cooldown: { seconds: 604_800, key: '$request.params.id' } }],
    [{ ordering_key: '$request.body.camera', cooldown: { seconds: 1 } }],
  ])('is read and written: %j', (flow) => {
    const { sink } = parse(flow);
    expect(sink?.flow && writeFlowSetting(sink.flow)).toEqual(flow);
  });

  test('is absent unless it is set, and null is absent', () => {
    expect(parse(undefined).sink?.flow).toBeUndefined();
    expect(parse(null).sink?.flow).toBeUndefined();
  });

  test.each<[unknown, RegExp]>([
    ['queue', /^flow: .*object/],
    [[], /^flow: .*object/],
    [{}, /^flow: must have "max_concurrent", "ordering_key", "debounce", "batch" or "cooldown"/],
    [{ queue_limit: 5 }, /^flow: must have/],
    [{ overflow: 'drop' }, /^flow: must have/],
    [{ max_concurrent: 0 }, /^flow\.max_concurrent: /],
    [{ max_concurrent: 1001 }, /^flow\.max_concurrent: /],
    [{ max_concurrent: 1.5 }, /^flow\.max_concurrent: /],
    [{ max_concurrent: '1' }, /^flow\.max_concurrent: /],
    [{ max_concurrent: null }, /^flow\.max_concurrent: /],
    [{ max_concurrent: 1, queue_limit: 0 }, /^flow\.queue_limit: /],
    [{ max_concurrent: 1, queue_limit: 10_001 }, /^flow\.queue_limit: /],
    [{ max_concurrent: 1, overflow: 'wait' }, /^flow\.overflow: /],
    [{ max_concurrent: 1, overflow: 'reject', queue_limit: 5 }, /^flow\.queue_limit: cannot stand beside "overflow": "reject"/],
    [{ max_concurrent: 1, overflow: 'drop', queue_limit: 5 }, /^flow\.queue_limit: cannot stand beside "overflow": "drop"/],
    [{ max_concurrent: 1, concurrency: 5 }, /concurrency/],
    [{ ordering_key: 5 }, /^flow\.ordering_key: /],
    [{ ordering_key: '' }, /^flow\.ordering_key: .*must be a selector of the request/],
    [{ ordering_key: 'customer' }, /^flow\.ordering_key: .*must be a selector of the request/],
    [{ ordering_key: '$inputs.customer' }, /^flow\.ordering_key: .*must be a selector of the request/],
    [{ ordering_key: '$request.params.name' }, /^flow\.ordering_key: .*can never select anything/],
    [{ ordering_key: '$request.nothing' }, /^flow\.ordering_key: .*can never select anything/],
    [{ debounce: 5 }, /^flow\.debounce: /],
    [{ debounce: {} }, /flow\.debounce.*seconds/],
    [{ debounce: { seconds: 0 } }, /^flow\.debounce\.seconds: /],
    [{ debounce: { seconds: 86_401 } }, /^flow\.debounce\.seconds: /],
    [{ debounce: { seconds: 5, max_seconds: 604_801 } }, /^flow\.debounce\.max_seconds: /],
    [{ debounce: { seconds: 5, max_seconds: 4 } }, /^flow\.debounce\.max_seconds: must be at least the 5 of seconds/],
    [{ debounce: { seconds: 5 }, overflow: 'queue' }, /^flow\.overflow: cannot stand beside debounce/],
    [{ debounce: { seconds: 5, wait: 1 } }, /wait/],
    [{ batch: 5 }, /^flow\.batch: /],
    [{ batch: null }, /^flow\.batch: /],
    [{ batch: [] }, /^flow\.batch: /],
    [{ batch: {} }, /flow\.batch.*size/],
    [{ batch: { size: 5 } }, /flow\.batch.*seconds/],
    [{ batch: { size: 1, seconds: 5 } }, /^flow\.batch\.size: must be >= 2/],
    [{ batch: { size: 1001, seconds: 5 } }, /^flow\.batch\.size: must be <= 1000/],
    [{ batch: { size: 2.5, seconds: 5 } }, /^flow\.batch\.size: /],
    [{ batch: { size: '5', seconds: 5 } }, /^flow\.batch\.size: /],
    [{ batch: { size: 5, seconds: 0 } }, /^flow\.batch\.seconds: must be >= 0\.1/],
    [{ batch: { size: 5, seconds: 86_401 } }, /^flow\.batch\.seconds: /],
    [{ batch: { size: 5, seconds: 5, timeout: 1 } }, /timeout/],
    [JSON.parse('{"batch":{"size":5,"seconds":5,"__proto__":1}}'), /__proto__/],
    [{ batch: { size: 5, seconds: 5, key: 7 } }, /^flow\.batch\.key: /],
    [{ batch: { size: 5, seconds: 5, key: 'customer' } }, /^flow\.batch\.key: .*must be a selector of the request/],
    [{ batch: { size: 5, seconds: 5, key: '$request.batch.0' } }, /^flow\.batch\.key: .*can never select anything/],
    [{ batch: { size: 5, seconds: 5, key: '$request.params.name' } }, /^flow\.batch\.key: .*the path has no parameter/],
    [{ batch: { size: 5, seconds: 5 }, overflow: 'drop', max_concurrent: 1 }, /^flow\.overflow: cannot stand beside batch/],
    [{ batch: { size: 5, seconds: 5 }, ordering_key: '$request.params.id' }, /^flow\.ordering_key: cannot stand beside batch/],
    [{ batch: { size: 5, seconds: 5 }, debounce: { seconds: 5 } }, /^flow\.debounce: cannot stand beside batch/],
    [{ batch: { size: 5, seconds: 5 }, cooldown: { seconds: 5 } }, /^flow\.cooldown: cannot stand beside batch/],
    [{ cooldown: 5 }, /^flow\.cooldown: /],
    [{ cooldown: {} }, /flow\.cooldown.*seconds/],
    [{ cooldown: { seconds: 0 } }, /^flow\.cooldown\.seconds: must be >= 0\.1/],
    [{ cooldown: { seconds: 604_801 } }, /^flow\.cooldown\.seconds: /],
    [{ cooldown: { seconds: '5' } }, /^flow\.cooldown\.seconds: /],
    [{ cooldown: { seconds: 5, per: 'camera' } }, /per/],
    [{ cooldown: { seconds: 5, key: '' } }, /^flow\.cooldown\.key: .*must be a selector of the request/],
    [{ cooldown: { seconds: 5 }, debounce: { seconds: 5 } }, /^flow\.cooldown: cannot stand beside debounce/],
    [
      { cooldown: { seconds: 5, key: '$request.params.id' }, ordering_key: '$request.params.id' },
      /^flow\.cooldown\.key: cannot stand beside ordering_key/,
    ],
  ])('refuses %j', (flow, expected) => {
    const faults = faultsOf(flow);
    expect(faults.length).toBeGreaterThan(0);
    expect(faults.join('\n')).toMatch(expected);
  });
});

describe('a sink with batches', () => {
  const flow = { batch: { size: 5, seconds: 5 } };
  const faults = (fields: object): string[] =>
    parseSink({ path: '/in', method: 'POST', flow, ...fields }, 'shop').faults.map(({ path, message }) => `${path}: ${message}`);

  test.each<[object, RegExp]>([
    [{ response: 'stream' }, /^response: cannot be "stream" beside flow\.batch/],
    [{ response: 'wait' }, /^response: cannot be "wait" beside flow\.batch/],
    [{ response: { mode: 'custom', body: '$output' } }, /^response: cannot be "custom" beside flow\.batch/],
    [{ response: { mode: 'respond' } }, /^response: cannot be "respond" beside flow\.batch/],
    [{ schedules: [{ name: 'a', cron: '* * * * *' }] }, /^schedules: cannot stand beside flow\.batch/],
    [{ split: '$request.body' }, /^split: cannot stand beside flow\.batch/],
    [{ body: 'raw' }, /^body: cannot be "raw" beside flow\.batch/],
    [
      { inputs: { x: '$request.headers.x-event' } },
      /^inputs\.x: .*a batch has no headers of its own: write "\$request\.batch\.0\.headers"/,
    ],
    [{ inputs: { x: '$request.params.id' } }, /^inputs\.x: .*a batch has no params of its own/],
    [{ inputs: { x: '$request.batch.first' } }, /^inputs\.x: .*\$request\.batch is a list/],
    [{ inputs: { x: '$request.batch.0.body' } }, /^inputs\.x: .*write \$request\.body\.0/],
    [{ inputs: { x: '$request.batch.0.files' } }, /^inputs\.x: .*has no "files"/],
  ])('refuses %j', (fields, expected) => expect(faults(fields).join('\n')).toMatch(expected));

  test('answers at once, and may select the bodies and each request', () => {
    const inputs = { rows: '$request.body', count: '$request.batch.length', event: '$request.batch.0.headers.x-event' };
    for (const response of [undefined, 'accept', { mode: 'redirect', location: '/thanks' }, 'form'])
      expect(faults({ response, inputs })).toEqual([]);
  });

  test('a sink without them has no $request.batch', () => {
    expect(faults({ flow: undefined, inputs: { x: '$request.batch' } }).join()).toMatch(/the sink has no "flow.batch"/);
  });
});

test('a key tells values and types apart, has one length, and is the same without a value', () => {
  const keys = ['1', 1, true, null, [], {}, 'x'.repeat(100_000), { a: 1 }].map((value) => flowKeyOf(value));
  expect(new Set(keys).size).toBe(keys.length);
  expect(keys.every((key) => key.length === 43)).toBe(true);
  expect(flowKeyOf(undefined)).toBe(flowKeyOf(null));
});
