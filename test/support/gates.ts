// Steps that wait until the test opens their gate, so that the test can inspect a run in progress.

import type { OutboundResult } from '../../src/core/delivery/outbound.ts';
import type { Send } from '../../src/delivery/sender.ts';
import type { StepType } from '../../src/steps/step-type.ts';
import { deliver } from './deliver.ts';

export interface Gates {
  /** For startApp: the step type `test/gate@v1`, with the name of a `gate`, and the effect that it waits for. */
  options: { stepTypes: readonly StepType[]; send: Send };
  /** Opens the gate for all steps, waiting and later. */
  open(gate: string): void;
  /** Resolves when a step waits at the gate. */
  reached(gate: string): Promise<void>;
}

const PASSED: OutboundResult = {
  kind: 'response',
  status: 204,
  reason: 'No Content',
  url: 'http://gate.test/',
  headers: {},
  body: new Uint8Array(0),
  isTruncated: false,
};

export function createGates(): Gates {
  const opened = new Map<string, PromiseWithResolvers>();
  const reached = new Map<string, PromiseWithResolvers>();
  const stepType: StepType = {
    type: 'test/gate@v1',
    properties: { gate: { type: 'string' }, after: {} },
    required: ['gate'],
    outputs: () => ['passed'],
    plan: ({ gate }) => deliver(`http://gate.test/${gate}`, null),
    interpret: () => ({ kind: 'completed', outputs: { passed: true } }),
  };
  return {
    options: {
      stepTypes: [stepType],
      send: async (message, { signal }) => {
        const gate = message.transport === 'http' ? new URL(message.url).pathname.slice(1) : '';
        at(reached, gate).resolve();
        await Promise.race([at(opened, gate).promise, new Promise((resolve) => signal.addEventListener('abort', resolve))]);
        return PASSED;
      },
    },
    open: (gate) => at(opened, gate).resolve(),
    reached: (gate) => at(reached, gate).promise,
  };
}

/** A workflow of consecutive steps, each at its own gate: `g1` at gate `1` and so on. */
export function gatedWorkflow(prefix: string, count: number): { steps: object[]; outputs: object[] } {
  const steps = Array.from({ length: count }, (_, index) => ({
    type: 'test/gate@v1',
    name: `g${index + 1}`,
    gate: `${prefix}${index + 1}`,
    ...(index === 0 ? {} : { after: `$steps.g${index}.passed` }),
  }));
  return { steps, outputs: [{ type: 'JsonField', name: 'done', selector: `$steps.g${count}.passed` }] };
}

interface PromiseWithResolvers {
  promise: Promise<void>;
  resolve: () => void;
}

function at(gates: Map<string, PromiseWithResolvers>, name: string): PromiseWithResolvers {
  const known = gates.get(name);
  if (known !== undefined) return known;
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  const gate = { promise, resolve };
  gates.set(name, gate);
  return gate;
}
