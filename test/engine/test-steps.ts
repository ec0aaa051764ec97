// Step types made for the tests of the engine: one that sends, some that choose, some that are broken.

import type { Overflow } from '../../src/core/delivery/overflow.ts';
import type { EffectResult, StepOutcome, StepType } from '../../src/steps/step-type.ts';
import { deliver } from '../support/deliver.ts';

/** Sends its body. Anything but a 2xx is retryable; a 400 is not. */
const post: StepType<{ body?: unknown; retry?: unknown; overflow?: Overflow }> = {
  type: 'test/post@v1',
  properties: { body: {}, overflow: { type: 'object' } },
  required: [],
  outputs: () => ['status', 'answer'],
  plan: ({ body = null, retry, overflow = { policy: 'queue' } }) => ({
    ...deliver('http://receiver.test/', Buffer.from(JSON.stringify(body)), retry),
    overflow,
  }),
  interpret: (_manifest, result) => readResult(result),
};

function readResult(result: EffectResult): StepOutcome {
  const status = result.kind === 'response' ? result.status : 0;
  if (result.kind === 'response' && status < 300)
    return { kind: 'completed', outputs: { status, answer: Buffer.from(result.body).toString() }, message: `answered ${status}` };
  return {
    kind: 'failed',
    retryable: status !== 400,
    error: { code: 'not_delivered', message: `the receiver said ${status || result.kind}` },
  };
}

/** Runs only those of its next steps that `pick` names. */
const choose: StepType<{ pick: string[]; next_steps: string[] }> = {
  type: 'test/choose@v1',
  properties: { pick: { type: 'array', items: { type: 'string' } }, next_steps: { type: 'array', items: { type: 'string' } } },
  required: ['pick', 'next_steps'],
  outputs: () => [],
  plan: ({ pick }) => ({ kind: 'completed', outputs: {}, chosen: pick }),
};

interface Visit {
  fails?: boolean;
  /** Names of steps. */
  chosen?: string[];
  seconds?: number;
}

/** Each visit ends as its entry in `visits` says, later ones as the last entry. Its transitions may be back edges. */
const visit: StepType<{ visits?: Visit[]; transitions?: string[]; reads?: unknown }> = {
  type: 'test/visit@v1',
  mayLoop: true,
  nulls: 'take',
  properties: {
    visits: { type: 'array' },
    transitions: { type: 'array', items: { type: 'string', pattern: '^\\$steps\\.[^.]+$' } },
    reads: {},
  },
  required: [],
  outputs: () => ['visit', 'random', 'delivery_id', 'reads'],
  plan({ visits = [], transitions = [], reads = null }, context) {
    const { fails = false, chosen, seconds = 0 } = visits[Math.min(context.visit, visits.length) - 1] ?? {};
    const outputs = { visit: context.visit, random: context.random(), delivery_id: context.deliveryId, reads };
    const all = transitions.map((selector) => selector.slice('$steps.'.length));
    const outcome: StepOutcome = fails
      ? { kind: 'failed', retryable: false, error: { code: 'not_yet', message: `visit ${context.visit} is too early` } }
      : { kind: 'completed', outputs, chosen: chosen ?? all };
    return seconds > 0 ? { kind: 'wait', seconds, outcome } : outcome;
  },
};

/** Has an `on_failure` of its own, and chooses it itself. */
const ownTransition: StepType<{ fails?: boolean; on_failure: string }> = {
  type: 'test/own-transition@v1',
  mayLoop: true,
  properties: { fails: { type: 'boolean' }, on_failure: { type: 'string', pattern: '^\\$steps\\.[^.]+$' } },
  required: ['on_failure'],
  outputs: () => [],
  plan: ({ fails = false, on_failure: target }, context) =>
    fails
      ? { kind: 'failed', retryable: false, error: { code: 'broken', message: 'broken' } }
      : { kind: 'completed', outputs: {}, chosen: context.visit === 1 ? [target.slice('$steps.'.length)] : [] },
};

export const INTERNAL_SECRET = 'stack-and-secret-of-the-server';

const throwing: StepType = {
  type: 'test/throwing@v1',
  properties: {},
  required: [],
  outputs: () => [],
  plan: () => {
    throw new Error(INTERNAL_SECRET);
  },
};

const throwingLater: StepType = {
  ...(post as StepType),
  type: 'test/throwing-later@v1',
  interpret: () => {
    throw new Error(INTERNAL_SECRET);
  },
};

export const testSteps: readonly StepType[] = [post, choose, visit, ownTransition, throwing, throwingLater] as readonly StepType[];
