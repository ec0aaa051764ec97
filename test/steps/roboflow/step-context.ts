// Contexts, results of messages, and faults of manifests, for tests that call `plan` and `interpret` directly.

import type { OutboundResult } from '../../../src/core/delivery/outbound.ts';
import { createStepTypes } from '../../../src/steps/registry.ts';
import type { StepContext, StepPlan, StepType } from '../../../src/steps/step-type.ts';

export const NOW = Date.UTC(2026, 7, 21, 10, 30, 0, 250);

export function stepContext(given: Partial<StepContext> = {}): StepContext {
  return {
    runId: 'run_1',
    step: 'step',
    visit: 1,
    attempt: 1,
    now: NOW,
    wallNow: given.now ?? NOW,
    roots: { inputs: {}, steps: {}, request: { method: 'POST', path: '/', params: {}, query: {}, headers: {}, files: [] } },
    bodyKind: 'empty',
    bodySize: 0,
    memory: null,
    deliveryId: 'dlv_1',
    secret: () => null,
    replyId: 'reply_1_1',
    replyUrl: (choice, expiresAt) => `placeholder-${choice}-${expiresAt}`,
    images: {
      size: () => ({ width: 4, height: 3 }),
      jpeg: () => new Uint8Array([0xff, 0xd8, 0xff]),
    },
    isAnswered: false,
    random: () => 0.5,
    ...given,
  };
}

/** Throws if the plan has another kind. */
export function planOfKind<Kind extends StepPlan['kind']>(plan: StepPlan, kind: Kind): Extract<StepPlan, { kind: Kind }> {
  if (plan.kind !== kind) throw new Error(`a plan of kind ${kind} was expected, and this is ${JSON.stringify(plan)}`);
  return plan as Extract<StepPlan, { kind: Kind }>;
}

export function answer(status: number, body = '', reason = ''): Extract<OutboundResult, { kind: 'response' }> {
  return {
    kind: 'response',
    status,
    reason,
    url: 'https://example.org/',
    headers: {},
    body: new TextEncoder().encode(body),
    isTruncated: false,
  };
}

/** The faults of the manifest when it is saved, as `path: message`. */
export function faultsOf<Manifest>(stepType: StepType<Manifest>, manifest: object): string[] {
  const stepTypes = createStepTypes([stepType as StepType]);
  const { faults } = stepTypes.inspect(stepType.type, { type: stepType.type, name: 'step', ...manifest });
  return faults.map(({ path, message }) => `${path}: ${message}`);
}
