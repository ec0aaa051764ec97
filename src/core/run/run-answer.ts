// The answer that a step of a run gives to the caller of its sink, while the run goes on.

import { decodeStored, shownValue } from '../json/stored-value.ts';
import type { StepStatus } from './run.ts';

/** The type of the steps that answer. */
export const RESPOND = 'sluice/respond@v1';

/** A stored visit of a step. */
interface Visit {
  type: string;
  status: StepStatus;
  /** JSON text. */
  outputs: string | null;
}

/** The outputs of a step that answers. `is_sent` is false after the first one of a run, which has no other outputs then. */
export interface RunAnswer {
  is_sent: boolean;
  status: number;
  headers: Readonly<Record<string, unknown>>;
  body: unknown;
}

/** Whether the visit answered, or found that an earlier one had. */
export function isAnswer({ type, status }: Visit): boolean {
  return type === RESPOND && status === 'completed';
}

/** Returns the run's answer as callers see it, or null if it has none. `mask` hides secrets in JSON text. */
export function answerOf(visits: readonly Visit[], mask: (text: string) => string): RunAnswer | null {
  for (const visit of visits) {
    if (!isAnswer(visit) || visit.outputs === null) continue;
    const answer = shownValue(decodeStored(mask(visit.outputs))) as RunAnswer;
    if (answer.is_sent) return answer;
  }
  return null;
}
