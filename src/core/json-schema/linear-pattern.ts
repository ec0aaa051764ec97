// Regular expressions that take time in proportion to the text: a stranger writes the text.

import { RE2JS } from 're2js';
import type { Evaluation } from './evaluation.ts';

const MAX_PATTERN_LENGTH = 512;
/** In instructions: repetitions are written out. */
const MAX_PATTERN_SIZE = 2000;
/** Instructions that are as much work as one visit of a value, for one character. */
const INSTRUCTIONS_PER_WORK = 8;

export interface LinearPattern {
  /** In instructions. */
  size: number;
  test(text: string, evaluation: Evaluation): boolean;
}

/** Returns what is wrong with the pattern instead of throwing. */
export function compileLinearPattern(pattern: string): LinearPattern | string {
  if (pattern.length > MAX_PATTERN_LENGTH) return `must have at most ${MAX_PATTERN_LENGTH} characters`;
  try {
    const engine = RE2JS.compile(pattern);
    const size = engine.programSize();
    if (size > MAX_PATTERN_SIZE) return 'repeats too much; use lower numbers of repetitions';
    return {
      size,
      test(text, evaluation) {
        evaluation.spend(Math.ceil((text.length * size) / INSTRUCTIONS_PER_WORK));
        return engine.test(text);
      },
    };
  } catch (error) {
    return `is not a regular expression that takes linear time, without look-around and back references: ${(error as Error).message}`;
  }
}
