// All that the parts of one history share.

import { HintExchange } from '../../src/storage/hints.ts';
import type { Break } from './breaks.ts';
import { Faults } from './faults.ts';
import { Invariants } from './invariants/invariants.ts';
import { createState, type State } from './memory-storage/state.ts';
import { Random } from './time/random.ts';
import { VirtualTime } from './time/virtual-time.ts';
import { Trace } from './trace.ts';
import { simulatedDefinitions } from './workload/definitions.ts';

export interface Violation {
  invariant: string;
  text: string;
}

/** 2026-01-01T00:00:00Z. */
const START = 1_767_225_600_000;

export class World {
  readonly random: Random;
  readonly time = new VirtualTime(START);
  readonly hints = new HintExchange();
  readonly faults: Faults;
  readonly trace: Trace;
  readonly broken: Break | null;
  readonly state: State;
  readonly invariants: Invariants;
  /** When the faults stop. */
  readonly calmAt: number;
  violation: Violation | null = null;
  #busyUntil = 0;

  constructor(seed: number, { broken = null, isTraced = false }: { broken?: Break | null; isTraced?: boolean } = {}) {
    this.random = new Random(seed);
    this.faults = new Faults(this.random);
    this.trace = new Trace(isTraced);
    this.broken = broken;
    this.state = createState(() => Math.floor(this.time.now), broken);
    Object.assign(this.state.definitions, simulatedDefinitions());
    this.calmAt = START + this.random.between(10_000, 40_000);
    this.invariants = new Invariants(this);
  }

  /** By the clock of the storage. */
  get now(): number {
    return Math.floor(this.time.now);
  }

  get isCalm(): boolean {
    return this.time.now >= this.calmAt;
  }

  /** Whether something slow has not ended yet. */
  get isBusy(): boolean {
    return this.time.now < this.#busyUntil;
  }

  /** Something takes this long. */
  noteSlow(delayMs: number): void {
    this.#busyUntil = Math.max(this.#busyUntil, this.time.now + delayMs);
  }

  readonly note = (by: string, text: string): void => this.trace.note(this.time.now - START, by, text);

  /** The first violation ends the history. */
  readonly fail = (invariant: string, text: string): void => {
    if (this.violation === null) this.note('VIOLATION', `${invariant}: ${text}`);
    this.violation ??= { invariant, text };
  };
}
