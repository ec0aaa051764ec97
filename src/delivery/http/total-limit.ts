// How long an attempt may take in all, where nobody says otherwise: a message's own limit is for each silence, and a
// receiver that is never silent for long would else hold it for ever.

const LEAST_MS = 30_000;
const SILENCES = 4;

export function totalLimitMs(timeoutMs: number): number {
  return Math.max(LEAST_MS, SILENCES * timeoutMs);
}
