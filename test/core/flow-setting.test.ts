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
    [{}, /^flow: must have "max_concurrent", "ordering_key" or "debounce"/],
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
  ])('refuses %j', (flow, expected) => {
    const faults = faultsOf(flow);
    expect(faults.length).toBeGreaterThan(0);
    expect(faults.join('\n')).toMatch(expected);
  });
});

test('a key tells values and types apart, has one length, and is the same without a value', () => {
  const keys = ['1', 1, true, null, [], {}, 'x'.repeat(100_000), { a: 1 }].map((value) => flowKeyOf(value));
  expect(new Set(keys).size).toBe(keys.length);
  expect(keys.every((key) => key.length === 43)).toBe(true);
  expect(flowKeyOf(undefined)).toBe(flowKeyOf(null));
});
