// Plans the answers of a receiver that simulates failures: the kind of failure, and which requests get it.

export interface Behaviour {
  failure: PlannedAnswer;
  /** The first `count` requests, or each with probability `rate`; all others are answered with 200. */
  fails: { kind: 'all' } | { kind: 'first'; count: number } | { kind: 'share'; rate: number };
}

export type PlannedAnswer = { kind: 'status'; status: number } | { kind: 'hang' } | { kind: 'reset' };

/** `number` counts the requests from 1; `random` is from 0 up to 1. */
export function planAnswer({ failure, fails }: Behaviour, number: number, random: number): PlannedAnswer {
  const isFailure = fails.kind === 'all' || (fails.kind === 'first' ? number <= fails.count : random < fails.rate);
  return isFailure ? failure : { kind: 'status', status: 200 };
}
