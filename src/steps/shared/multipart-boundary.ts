// The boundary of a step's multipart body: deterministic for each planning of the step.

import type { StepContext } from '../step-type.ts';

/** 32 hexadecimal digits. */
export function multipartBoundary(context: Pick<StepContext, 'random'>): string {
  let digits = '';
  while (digits.length < 32) {
    digits += Math.floor(context.random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0');
  }
  return digits;
}
