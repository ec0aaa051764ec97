// The faults of a history: how often each kind happens, drawn by its seed, and how often it did.

import type { Random } from './time/random.ts';

export interface FaultRates {
  /** Usual delay of a call to the storage, in ms. */
  latencyMs: number;
  /** Of calls to the storage. */
  slow: number;
  refused: number;
  lost: number;
  late: number;
  lostHint: number;
  /** Of messages to receivers. */
  failedMessage: number;
  unansweredMessage: number;
  slowMessage: number;
  /** The most that the clock of a process differs from that of the storage, in ms. */
  skewMs: number;
}

const CALM: FaultRates = {
  latencyMs: 2,
  slow: 0,
  refused: 0,
  lost: 0,
  late: 0,
  lostHint: 0,
  failedMessage: 0,
  unansweredMessage: 0,
  slowMessage: 0,
  skewMs: 0,
};

export const FAULT_KINDS = [
  'slow call',
  'refused call',
  'lost answer, done',
  'lost answer, not done',
  'lost answer, done later',
  'lost hint',
  'killed owner',
  'paused owner',
  'drained owner',
  'lost session',
  'clock jump',
  'id taken',
  'failed message',
  'unanswered message',
  'slow message',
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];
export type FaultCounts = Record<FaultKind, number>;

export function noFaults(): FaultCounts {
  return Object.fromEntries(FAULT_KINDS.map((kind) => [kind, 0])) as FaultCounts;
}

export class Faults {
  readonly counts = noFaults();
  readonly #random: Random;
  rates: FaultRates;

  constructor(random: Random) {
    this.#random = random;
    this.rates = drawRates(random);
  }

  /** From now on none of those that have a rate happen. */
  stop(): void {
    this.rates = { ...CALM, skewMs: this.rates.skewMs };
  }

  count(kind: FaultKind): void {
    this.counts[kind] += 1;
  }

  happens(kind: FaultKind, rate: number): boolean {
    const happens = rate > 0 && this.#random.happens(rate);
    if (happens) this.counts[kind] += 1;
    return happens;
  }
}

/** Some histories are calm in some respects, so that a few faults meet in many combinations. */
function drawRates(random: Random): FaultRates {
  const draw = (...rates: number[]): number => random.pick(rates);
  return {
    latencyMs: draw(0.5, 5, 50, 400),
    slow: draw(0, 0.01, 0.05),
    refused: draw(0, 0, 0.02, 0.15),
    lost: draw(0, 0, 0.02, 0.15),
    late: draw(0, 0, 0.01),
    lostHint: draw(0, 0.5, 1),
    failedMessage: draw(0, 0.1, 0.5),
    unansweredMessage: draw(0, 0.05, 0.2),
    slowMessage: draw(0, 0.1, 0.3),
    skewMs: draw(0, 20, 400),
  };
}
