// The default limit for a whole attempt. A message's own limit is for each silence, and a receiver that is never silent
// for long could otherwise keep the attempt open for ever.

const LEAST_MS = 30_000;
const SILENCES = 4;

export function totalLimitMs(timeoutMs: number): number {
  return Math.max(LEAST_MS, SILENCES * timeoutMs);
}
