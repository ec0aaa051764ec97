// roboflow_core/delta_filter@v1: lets a branch run when a value has changed since the last run.

import { isEqual } from '../../core/python/equality.ts';
import { imageSelector, selector, steps } from '../shared/property-schemas.ts';
import type { StepType } from '../step-type.ts';
import { endBranch, runNext } from './parts/branch.ts';
import { videoIdentifier } from './parts/video-metadata.ts';

interface DeltaFilterManifest {
  /** Absent from definitions that were saved before it was required. */
  image?: unknown;
  value: unknown;
  next_steps: string[];
}

interface LastValue {
  value: unknown;
}

export const deltaFilter: StepType<DeltaFilterManifest> = {
  type: 'roboflow_core/delta_filter@v1',
  summary: "Runs the steps that it names if a value has changed since the sink's previous run.",
  properties: {
    image: imageSelector('an image; the values of each video are compared separately'),
    value: selector('the value to compare'),
    next_steps: steps('the steps to run if the value has changed; null in the first run is not a change'),
  },
  required: ['image', 'value', 'next_steps'],
  ignoresUnknown: true,
  outputs: () => [],
  memoryKey: ({ image }, { step }) => `delta_filter:${step}:${videoIdentifier(image)}`,
  plan({ value, next_steps: nextSteps }, { memory }) {
    const previous = (memory as LastValue | null)?.value ?? null;
    if (isEqual(previous, value)) return endBranch();
    return { ...runNext(nextSteps), remember: { value } satisfies LastValue };
  },
};
