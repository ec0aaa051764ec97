// The deliveries to one origin that this process has leased: which goes next, and how many more it may claim.

import { type Circuit, closedCircuit, freeSlots } from '../../core/delivery/circuit-breaker.ts';
import type { LeasedDelivery } from './leased-delivery.ts';

/** Messages in flight to one origin at once. */
export const MAX_WIDTH = 64;
const MAX_LEASED = 1024;
const FORGET_AFTER_MS = 60_000;

export class OriginQueue {
  readonly name: string;
  circuit: Circuit = closedCircuit(MAX_WIDTH);
  inFlight = 0;
  /** Queued, in flight, or reserved by a turn that is being stored. */
  leased = 0;
  leasedBytes = 0;
  queued: LeasedDelivery[] = [];
  /** When the next delivery in the database is due; infinite when there is none. */
  dueAt = Number.POSITIVE_INFINITY;
  /** The earliest time that was marked during a query of the database. */
  #markedAt = Number.POSITIVE_INFINITY;

  constructor(name: string) {
    this.name = name;
  }

  get isFull(): boolean {
    return this.leased >= MAX_LEASED;
  }

  /** The queue can be forgotten: it has no deliveries, and the pause of its circuit ended long ago. */
  isIdle(now: number): boolean {
    return this.leased === 0 && this.dueAt === Number.POSITIVE_INFINITY && this.circuit.openUntil + FORGET_AFTER_MS <= now;
  }

  /** A delivery in the database is due at this time. */
  markDue(at: number): void {
    this.dueAt = Math.min(this.dueAt, at);
    this.#markedAt = Math.min(this.#markedAt, at);
  }

  /** Before the database is asked for the next due time: times that are marked during the query are kept. */
  beginDueQuery(): void {
    this.#markedAt = Number.POSITIVE_INFINITY;
  }

  endDueQuery(dueAt: number): void {
    this.dueAt = Math.min(dueAt, this.#markedAt);
  }

  /**
   * When to claim more; infinite while there is enough here. With an open circuit one leased delivery (the probe) is
   * enough: its result triggers the next claim.
   */
  nextClaimAt(): number {
    const enough = this.circuit.openUntil > 0 ? 0 : MAX_LEASED / 2;
    return this.leased > enough ? Number.POSITIVE_INFINITY : Math.max(this.dueAt, this.circuit.openUntil);
  }

  /** How many more to claim; with an open circuit one at a time, as its probe. */
  claimableCount(now: number): number {
    if (this.dueAt > now) return 0;
    const free = MAX_LEASED - this.leased;
    return this.circuit.openUntil > 0 ? Math.min(free, freeSlots(this.circuit, this.leased, now)) : free;
  }

  /** The delivery to send now, or null. A delivery with a single attempt is sent despite an open circuit. */
  dequeue(now: number): LeasedDelivery | null {
    if (this.queued.length === 0 || this.inFlight >= MAX_WIDTH) return null;
    const isFree = freeSlots(this.circuit, this.inFlight, now) > 0;
    if (isFree) return this.queued.shift() ?? null;
    const index = this.circuit.openUntil > 0 ? this.queued.findIndex(isOnlyAttempt) : -1;
    const [next] = index === -1 ? [] : this.queued.splice(index, 1);
    return next ?? null;
  }

  /** False if it is not queued here. */
  remove(delivery: LeasedDelivery): boolean {
    const index = this.queued.indexOf(delivery);
    if (index !== -1) this.queued.splice(index, 1);
    return index !== -1;
  }

  /** Removes the run's awaited deliveries. Those whose run is in memory stay, and are aborted when they reach the front. */
  abortRun(runId: string): LeasedDelivery[] {
    const aborted = this.queued.filter((delivery) => delivery.runId === runId && delivery.isAwaited);
    for (const delivery of aborted) delivery.abort();
    const removed = aborted.filter(({ hasWaiter }) => !hasWaiter);
    if (removed.length > 0) this.queued = this.queued.filter((delivery) => !removed.includes(delivery));
    return removed;
  }
}

const isOnlyAttempt = ({ lastAttempt }: LeasedDelivery): boolean => lastAttempt === 1;

/** The names of the origins to which nothing but probes is sent. */
export function openCircuits(origins: Iterable<OriginQueue>): string[] {
  return [...origins].filter(({ circuit }) => circuit.openUntil > 0).map(({ name }) => name);
}
