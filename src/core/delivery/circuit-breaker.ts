// Limits the messages in flight to one origin. Consecutive failures open the circuit: only single probes are sent until
// one succeeds. Then the width grows by one per success, so that a recovering receiver is not overloaded.

export interface Circuit {
  /** Failures since the last success. */
  failures: number;
  /** Until when nothing is sent, in ms; 0 when the circuit is closed. */
  openUntil: number;
  /** Maximum messages in flight. */
  width: number;
}

const FAILURES_TO_OPEN = 5;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;

export function closedCircuit(maxWidth: number): Circuit {
  return { failures: 0, openUntil: 0, width: maxWidth };
}

/** Returns how many more messages may be sent now; 0 while a probe is in flight. */
export function freeSlots({ openUntil, width }: Circuit, inFlight: number, now: number): number {
  if (openUntil > now) return 0;
  return Math.max(0, (openUntil > 0 ? 1 : width) - inFlight);
}

export function afterSuccess(circuit: Circuit, maxWidth: number): Circuit {
  if (circuit.openUntil > 0) return { failures: 0, openUntil: 0, width: 1 };
  return { failures: 0, openUntil: 0, width: Math.min(maxWidth, circuit.width + 1) };
}

/** `random` in [0, 1) spreads the end of the pause over a fifth of its length. */
export function afterFailure(circuit: Circuit, now: number, random: number): Circuit {
  const failures = circuit.failures + 1;
  if (failures < FAILURES_TO_OPEN) return { ...circuit, failures };
  // Failures of messages that were in flight when the circuit opened do not count.
  if (circuit.openUntil > now) return circuit;
  const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(failures - FAILURES_TO_OPEN, 10), LONGEST_PAUSE_MS);
  return { failures, openUntil: now + Math.round(pauseMs * (0.9 + random * 0.2)), width: 1 };
}
