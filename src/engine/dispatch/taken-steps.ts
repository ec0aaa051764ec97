// The steps that a replay takes over, as its new run stores them: a placeholder of a secret is signed for one run.

import { formatPlaceholder, replacePlaceholders } from '../../core/secrets/placeholder.ts';
import type { SecretPlaceholder, TakenSteps } from '../execution/program.ts';
import type { ReplayStart } from './trigger.ts';

/** Null if the run begins with its first steps. */
export function takenBy(runId: string, replay: ReplayStart | undefined, placeholder: SecretPlaceholder): TakenSteps | null {
  const taken = replay?.taken ?? null;
  if (replay === undefined || taken === null) return null;
  const signAgain = (text: string): string =>
    replacePlaceholders(text, (name, signature) =>
      placeholder(replay.of, name) === formatPlaceholder(name, signature) ? placeholder(runId, name) : null,
    );
  const steps = taken.steps.map((step) => ({ ...step, outputs: step.outputs === null ? null : signAgain(step.outputs) }));
  return { ...taken, steps };
}
