// sluice/delay@v1: waits, then runs the steps that it names. The wait survives restarts.

import { ExactNumber } from '../../core/json/json.ts';
import { selectedStep } from '../../core/workflow/selector.ts';
import type { StepType } from '../step-type.ts';

interface DelayManifest {
  seconds: unknown;
  next_steps?: string[];
}

const MAX_SECONDS = 366 * 86_400;

export const delay: StepType<DelayManifest> = {
  type: 'sluice/delay@v1',
  nulls: 'take',
  summary: 'Waits, then runs the steps that it names. The wait survives restarts.',
  properties: {
    seconds: {
      description: `a number of seconds from 0 to ${MAX_SECONDS}, or a selector of one`,
      anyOf: [
        { type: 'number', minimum: 0, maximum: MAX_SECONDS },
        { type: 'string', pattern: '^\\$[a-z]' },
      ],
    },
    next_steps: {
      type: 'array',
      items: { type: 'string', pattern: '^\\$steps\\.[^.]+$', description: 'must name a step, such as "$steps.name"' },
      description: 'the steps to run after the wait',
    },
  },
  required: ['seconds'],
  outputs: () => ['seconds'],
  plan: ({ seconds, next_steps: nextSteps = [] }) => {
    const wanted = readSeconds(seconds);
    if (!(wanted >= 0 && wanted <= MAX_SECONDS)) {
      return {
        kind: 'failed',
        retryable: false,
        error: { code: 'invalid_delay', message: `seconds must be a number from 0 to ${MAX_SECONDS}` },
      };
    }
    const chosen = nextSteps.map(selectedStep).filter((name) => name !== null);
    return { kind: 'wait', seconds: wanted, outcome: { kind: 'completed', outputs: { seconds: wanted }, chosen } };
  },
};

/** Accepts a number, or its text, as forms and queries send it. NaN for any other value: `Number` would read some as 0. */
function readSeconds(seconds: unknown): number {
  const isNumber = typeof seconds === 'number' || seconds instanceof ExactNumber;
  return isNumber || (typeof seconds === 'string' && NUMBER_TEXT.test(seconds)) ? Number(seconds) : Number.NaN;
}

const NUMBER_TEXT = /^\d+(?:\.\d+)?$/;
