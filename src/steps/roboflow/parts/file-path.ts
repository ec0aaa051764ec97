// Names of the files that steps write. They are always below the configured directory for files of steps.

import { parseRunId, timeOfRunNumber } from '../../../core/run/run-id.ts';
import type { StepContext } from '../../step-type.ts';

type StepVisit = Pick<StepContext, 'runId' | 'step' | 'visit'>;

/** Returns the fault of a path relative to the directory, or null. */
export function pathFault(path: string): string | null {
  const isOutside = /^(?:[/~]|[A-Za-z]:)/.test(path) || path.split('/').includes('..');
  if (isOutside) return 'must be a relative path without "..", so that it stays below the directory for files';
  return /[\\\p{Cc}]/u.test(path) ? 'must not contain backslashes or control characters' : null;
}

/**
 * `directory/prefix_2026_08_21_10_30_00_250123.csv`. The time is that of the run; the last digits distinguish runs of
 * one millisecond, steps of one run, and their visits. The same visit always gets the same path.
 */
export function filePath(directory: string, prefix: string, extension: string, step: StepVisit): string {
  const { ms, index } = timeOfRunNumber(parseRunId(step.runId)?.runNumber ?? 0);
  const [seconds, rest] = new Date(ms).toISOString().split('.') as [string, string];
  const microseconds = String((index + numberOf(step.step) + step.visit - 1) % 1000).padStart(3, '0');
  const stamp = `${seconds.replaceAll(/[-T:]/g, '_')}_${rest.slice(0, 3)}${microseconds}`;
  const parts = `${directory}/${prefix}_${stamp}.${extension}`.split('/');
  return parts.filter((part) => part !== '' && part !== '.').join('/');
}

function numberOf(name: string): number {
  let number = 0;
  for (const character of name) number = (number * 31 + (character.codePointAt(0) ?? 0)) % 1000;
  return number;
}
