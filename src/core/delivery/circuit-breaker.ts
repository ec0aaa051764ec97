// How much may be sent to one origin at a time. Failures in a row open the circuit: nothing but one probe is sent until
// one succeeds, and then the width grows by one with each success, so that a receiver that comes back is not overrun.

export interface Circuit {
  /** Failures since the last success. */
  failures: number;
  /** Until when nothing is sent, in ms; 0 when the circuit is closed. */
  openUntil: number;
  /** Messages that may be under way at once. */
  width: number;
}

const FAILURES_TO_OPEN = 5;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;

export function closedCircuit(maxWidth: number): Circuit {
  return { failures: 0, openUntil: 0, width: maxWidth };
}

/** How many more messages may be sent now; while a probe decides, none. */
export function freeSlots({ openUntil, width }: Circuit, inFlight: number, now: number): number {
  if (openUntil > now) return 0;
  return Math.max(0, (openUntil > 0 ? 1 : width) - inFlight);
}

export function afterSuccess(circuit: Circuit, maxWidth: number): Circuit {
  if (circuit.openUntil > 0) return { failures: 0, openUntil: 0, width: 1 };
  return { failures: 0, openUntil: 0, width: Math.min(maxWidth, circuit.width + 1) };
}

/** `random` in [0, 1) spreads the end of the pause over a fifth of it. */
export function afterFailure(circuit: Circuit, now: number, random: number): Circuit {
  const failures = circuit.failures + 1;
  if (failures < FAILURES_TO_OPEN) return { ...circuit, failures };
  // What was already under way when the circuit opened says nothing new.
  if (circuit.openUntil > now) return circuit;
  const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(failures - FAILURES_TO_OPEN, 10), LONGEST_PAUSE_MS);
  return { failures, openUntil: now + Math.round(pauseMs * (0.9 + random * 0.2)), width: 1 };
}
