// sluice/capture@v1: only records the request. The default of a sink without a workflow.

import { NO_RETRY } from '../../core/delivery/retry.ts';
import { compileSelector } from '../../core/workflow/bindings.ts';
import type { Workflow } from '../../core/workflow/plan.ts';
import type { StepType } from '../step-type.ts';

export const capture: StepType = {
  type: 'sluice/capture@v1',
  summary: 'Only records the request. A sink without a workflow runs this step.',
  properties: {},
  required: [],
  outputs: () => ['received'],
  plan: () => ({ kind: 'completed', outputs: { received: true } }),
};

/** The workflow of a sink without one. */
export const CAPTURE_WORKFLOW: Workflow = {
  id: 'capture',
  version: 0,
  inputs: [],
  steps: [
    {
      name: 'capture',
      type: capture.type,
      written: {},
      manifest: () => ({}),
      retry: NO_RETRY,
      needs: [],
      needsErrorOf: [],
      stepSelectors: [],
      gatedBy: [],
      chosenBy: [],
      transitions: null,
      maxVisits: 1,
      items: null,
    },
  ],
  loops: null,
  firstPlace: 0,
  endPlace: 1,
  outputs: [{ name: 'received', value: compileSelector('$steps.capture.received') }],
};
