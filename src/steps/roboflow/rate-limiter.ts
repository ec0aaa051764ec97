// roboflow_core/rate_limiter@v1: lets a branch run at most once per period, counted from its last run.

import { imageSelector, nullable, number, selector, steps } from '../shared/property-schemas.ts';
import { readNumber } from '../shared/setting-values.ts';
import type { StepType } from '../step-type.ts';
import { endBranch, runNext } from './parts/branch.ts';
import { frameTime } from './parts/video-metadata.ts';

interface RateLimiterManifest {
  cooldown_seconds?: unknown;
  depends_on: unknown;
  next_steps: string[];
  video_reference_image?: unknown;
}

interface LastPass {
  passed_at: number;
}

export const rateLimiter: StepType<RateLimiterManifest> = {
  type: 'roboflow_core/rate_limiter@v1',
  summary: 'Runs the steps that it names at most once per period, across the runs of a sink.',
  properties: {
    cooldown_seconds: number('the period in seconds', { default: 1, minimum: 0 }),
    depends_on: selector('an output of an earlier step; it only decides when this step runs'),
    next_steps: steps('the steps to run unless the limit is reached'),
    video_reference_image: nullable(imageSelector('a video frame; its fps and frame number replace the clock')),
  },
  required: ['depends_on', 'next_steps'],
  ignoresUnknown: true,
  outputs: () => [],
  memoryKey: (_manifest, { step }) => `rate_limiter:${step}`,
  plan({ cooldown_seconds: cooldownSeconds = 1, next_steps: nextSteps, video_reference_image: frame }, { memory, now }) {
    const time = frameTime(frame) ?? now;
    const passedAt = (memory as Partial<LastPass> | null)?.passed_at;
    // A negative elapsed time comes from the clock of another video, or from a clock that was set back.
    const elapsedMs = typeof passedAt === 'number' ? time - passedAt : Number.POSITIVE_INFINITY;
    if (elapsedMs >= 0 && elapsedMs < readNumber('cooldown_seconds', cooldownSeconds) * 1000) return endBranch();
    return { ...runNext(nextSteps), remember: { passed_at: time } satisfies LastPass };
  },
};
