// Repeats a call that fails for a moment, because of a conflict or a lost connection.

import { UnknownOutcome } from './errors.ts';

export const MAX_REPEATS = 12;
const LONGEST_PAUSE_MS = 64;

/** The first repetition comes at once; later ones after a growing pause, which is random so that rivals part. */
export function pauseBefore(repetition: number): Promise<void> {
  const pauseMs = repetition === 1 ? 0 : Math.random() * Math.min(2 ** repetition, LONGEST_PAUSE_MS);
  return new Promise((resolve) => setTimeout(resolve, pauseMs));
}

/** Repeats a call after its first error, as long as its outcome is unknown, so that it is done once. Rejects with other errors. */
export async function repeatUnknown<Result>(error: unknown, call: () => Promise<Result>): Promise<Result> {
  let latest = error;
  for (let repetition = 1; latest instanceof UnknownOutcome && repetition <= MAX_REPEATS; repetition += 1) {
    await pauseBefore(repetition);
    try {
      return await call();
    } catch (next) {
      latest = next;
    }
  }
  throw latest;
}
