// The deliveries to one origin that this process holds: which goes next, and how many more it may take.

import { type Circuit, closedCircuit, freeSlots } from '../../core/delivery/circuit-breaker.ts';
import type { HeldDelivery } from './held-delivery.ts';

/** Messages under way to one origin at once. */
export const MAX_WIDTH = 64;
const MAX_HELD = 1024;
const FORGET_AFTER_MS = 60_000;

export class OriginLane {
  readonly name: string;
  circuit: Circuit = closedCircuit(MAX_WIDTH);
  inFlight = 0;
  /** Of which `waiting` wait for a slot. */
  held = 0;
  heldBytes = 0;
  waiting: HeldDelivery[] = [];
  /** When the next delivery that is not held is due; infinite when there is none. */
  dueAt = Number.POSITIVE_INFINITY;
  /** The same, of what became due while the database was asked. */
  #notedDueAt = Number.POSITIVE_INFINITY;

  constructor(name: string) {
    this.name = name;
  }

  get isFull(): boolean {
    return this.held >= MAX_HELD;
  }

  /** Nothing here that would be missed: a circuit whose pause was over long ago says nothing of today. */
  isIdle(now: number): boolean {
    return this.held === 0 && this.dueAt === Number.POSITIVE_INFINITY && this.circuit.openUntil + FORGET_AFTER_MS <= now;
  }

  noteDue(at: number): void {
    this.dueAt = Math.min(this.dueAt, at);
    this.#notedDueAt = Math.min(this.#notedDueAt, at);
  }

  /** The database is about to be asked when the next one is due; what becomes due meanwhile is not lost. */
  beginAsking(): void {
    this.#notedDueAt = Number.POSITIVE_INFINITY;
  }

  endAsking(dueAt: number): void {
    this.dueAt = Math.min(dueAt, this.#notedDueAt);
  }

  /**
   * When to look for more in the database; infinite while there is enough here. With a circuit that is not closed one is
   * enough, and what comes of it brings the next look.
   */
  nextLook(): number {
    const enough = this.circuit.openUntil > 0 ? 0 : MAX_HELD / 2;
    return this.held > enough ? Number.POSITIVE_INFINITY : Math.max(this.dueAt, this.circuit.openUntil);
  }

  /** How many more to take from the database: while the circuit is not closed one at a time, to probe with. */
  roomForClaims(now: number): number {
    if (this.dueAt > now) return 0;
    const room = MAX_HELD - this.held;
    return this.circuit.openUntil > 0 ? Math.min(room, freeSlots(this.circuit, this.held, now)) : room;
  }

  /** The next to send now. A single try that a run waits for is made whatever the circuit says: it has no second one. */
  takeNext(now: number): HeldDelivery | null {
    if (this.waiting.length === 0 || this.inFlight >= MAX_WIDTH) return null;
    const isFree = freeSlots(this.circuit, this.inFlight, now) > 0;
    if (isFree) return this.waiting.shift() ?? null;
    const index = this.circuit.openUntil > 0 ? this.waiting.findIndex(isOnlyTry) : -1;
    const [next] = index === -1 ? [] : this.waiting.splice(index, 1);
    return next ?? null;
  }

  /** False where it does not wait here. */
  remove(held: HeldDelivery): boolean {
    const index = this.waiting.indexOf(held);
    if (index !== -1) this.waiting.splice(index, 1);
    return index !== -1;
  }

  /** Takes out what the run waits for. Where the run is in memory it stays, and ends as soon as it is its turn. */
  giveUp(runId: string): HeldDelivery[] {
    const isOf = (held: HeldDelivery): boolean => held.runId === runId && held.isAwaited;
    const unwanted = this.waiting.filter(isOf);
    for (const held of unwanted) held.giveUp();
    const removed = unwanted.filter(({ hasWaiter }) => !hasWaiter);
    if (removed.length > 0) this.waiting = this.waiting.filter((held) => !removed.includes(held));
    return removed;
  }
}

const isOnlyTry = ({ lastAttempt }: HeldDelivery): boolean => lastAttempt === 1;
