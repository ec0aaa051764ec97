// The steps that a replay keeps, as its new run stores them: a placeholder of a secret is signed for one run.

import { formatPlaceholder, replacePlaceholders } from '../../core/secrets/placeholder.ts';
import type { KeptSteps, SecretPlaceholder } from '../execution/program.ts';
import type { ReplayStart } from './trigger.ts';

/** Null if the run begins with its first steps. */
export function keptBy(runId: string, replay: ReplayStart | undefined, placeholder: SecretPlaceholder): KeptSteps | null {
  const kept = replay?.kept ?? null;
  if (replay === undefined || kept === null) return null;
  const signAgain = (text: string): string =>
    replacePlaceholders(text, (name, signature) =>
      placeholder(replay.of, name) === formatPlaceholder(name, signature) ? placeholder(runId, name) : null,
    );
  const steps = kept.steps.map((step) => ({ ...step, outputs: step.outputs === null ? null : signAgain(step.outputs) }));
  return { ...kept, steps };
}
