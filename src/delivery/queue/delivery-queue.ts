// Sends deliveries that are on disk. Each origin has a queue with a circuit breaker, so that a dead receiver delays no
// other. Only some deliveries are in memory; the rest wait in the database until there is memory for them.

import type { Clock } from '../../clock.ts';
import type { DeliveryState } from '../../core/delivery/delivery.ts';
import { parseDeliveryId } from '../../core/delivery/delivery-id.ts';
import { sendsRequestBody } from '../../core/delivery/outbound.ts';
import type { OverflowGroup } from '../../core/delivery/overflow.ts';
import { ClaimLoop } from '../../leases/claim-loop.ts';
import { FIRST_EPOCH } from '../../leases/lease.ts';
import { waitAtMost } from '../../leases/wait-at-most.ts';
import type { Logger } from '../../logger.ts';
import type { MemoryAccount } from '../../memory-budget.ts';
import type { AttemptRecord, ClaimedDelivery, NewDelivery } from '../../storage/delivery-records.ts';
import type { DeliveryStore } from '../../storage/delivery-store.ts';
import type { Send } from '../sender.ts';
import { endAttempt } from './attempt-end.ts';
import { LeasedByGroup } from './leased-by-group.ts';
import { bytesOf, LeasedDelivery, type LeasedFor, renewLeases } from './leased-delivery.ts';
import { OriginQueue, openCircuits } from './origin-queue.ts';
import { SendBudget } from './send-budget.ts';
import { logFailure, sendOnce } from './send-once.ts';

export interface DeliveryQueueOptions {
  storage: Pick<DeliveryStore, 'claimDeliveries' | 'listDueOrigins' | 'renewDeliveries' | 'releaseDeliveries'>;
  send: Send;
  /** Stores an attempt, and the next turn of the run that waits for it. Never rejects. */
  record: (delivery: LeasedDelivery, attempt: AttemptRecord, next: DeliveryState) => Promise<void>;
  /** Called for a delivery that is not sent here, because its lease ended before its turn came. */
  onLeaseLost: (delivery: LeasedDelivery) => void;
  /** Called when storage may have dropped a delivery that a run waits for. */
  onRunsDue: () => void;
  clock: Clock;
  /** The time of the wall clock at a moment of `clock`. */
  toWall: (at: number) => number;
  isAlone: boolean;
  /** For messages in memory. */
  memory: MemoryAccount;
  random: () => number;
  logger: Logger;
}

export class DeliveryQueue {
  readonly #options: DeliveryQueueOptions;
  readonly #origins = new Map<string, OriginQueue>();
  readonly #inFlight = new Map<string, LeasedDelivery>();
  readonly #budget: SendBudget;
  readonly #byGroup = new LeasedByGroup();
  readonly #stop = new AbortController();
  readonly #loop: ClaimLoop;
  #isDraining = false;
  #onIdle: (() => void) | null = null;

  constructor(options: DeliveryQueueOptions) {
    this.#options = options;
    this.#budget = new SendBudget(options.memory);
    this.#loop = new ClaimLoop({ name: 'deliveries', claim: () => this.#claimDue(), renew: () => this.#renewLeases() }, options);
  }

  start(): Promise<void> {
    return this.#loop.claimNow();
  }

  /** Before deliveries are stored: gives a lease to those that can be sent at once, and reserves their memory. */
  reserve(deliveries: readonly NewDelivery[]): NewDelivery[] {
    return deliveries.map((delivery) => {
      const origin = this.#originOf(delivery.origin);
      const bytes = bytesOf(delivery.message);
      const mayLease = !this.#stop.signal.aborted && !origin.isFull && bytes <= this.#budget.availableTo(origin);
      // Storage decides which deliveries with an overflow policy are sent, and has the bytes of a request.
      if (!mayLease || delivery.isRecorded || delivery.overflow !== null || sendsRequestBody(delivery.message)) return delivery;
      this.#budget.add(origin, bytes);
      return { ...delivery, isLeased: true };
    });
  }

  /** Releases the memory of deliveries that were not stored. */
  cancelReservation(deliveries: readonly NewDelivery[]): void {
    for (const { isLeased, origin, message } of deliveries) if (isLeased) this.#budget.remove(this.#originOf(origin), bytesOf(message));
  }

  /** Sends the leased ones of deliveries that are stored. */
  enqueue(deliveries: readonly NewDelivery[], { hasWaiter, ...lease }: LeasedFor): void {
    for (const { isLeased, isRecorded, overflow, ...delivery } of deliveries) {
      if (isRecorded) continue;
      const origin = this.#originOf(delivery.origin);
      if (isLeased) {
        const claimed = { ...delivery, latestOf: null, epoch: FIRST_EPOCH, attempts: 0, lastAttempt: delivery.retry.maxRetries + 1 };
        origin.queued.push(new LeasedDelivery(claimed, { ...lease, hasWaiter: hasWaiter && delivery.isAwaited }));
        this.#sendNext(origin);
      } else if (overflow === null) this.markDue(delivery.origin);
      else void this.#claimGroup(origin, overflow);
    }
  }

  /** The run is over: aborts the deliveries that it waits for. */
  abortRun(runId: string): void {
    for (const delivery of this.#inFlight.values()) if (delivery.runId === runId && delivery.isAwaited) delivery.abort();
    for (const origin of this.#origins.values()) {
      for (const delivery of origin.abortRun(runId)) {
        this.#budget.remove(origin, delivery.bytes);
        this.#byGroup.remove(delivery);
        this.#claimSoon(origin);
      }
    }
  }

  /** Deliveries to this origin have become due in the database. */
  markDue(name: string): void {
    const origin = this.#originOf(name);
    origin.markDue(this.#options.clock());
    this.#loop.scheduleAt(this.#nextClaimOf(origin));
  }

  /** Any delivery in the database may have become due. */
  lookAgain(): void {
    this.#loop.scheduleAt(this.#options.clock());
  }

  readonly openCircuits = (): string[] => openCircuits(this.#origins.values());

  /** Lets attempts in flight end within the time, then releases the rest. */
  async drain(timeoutMs: number): Promise<void> {
    this.#isDraining = true;
    this.#loop.stop();
    const queued = [...this.#origins.values()].flatMap((origin) => origin.queued.splice(0));
    const idle = new Promise<void>((resolve) => {
      this.#onIdle = resolve;
      if (this.#inFlight.size === 0) resolve();
    });
    await waitAtMost(timeoutMs, idle);
    this.#stop.abort();
    for (const delivery of this.#inFlight.values()) delivery.endAttempt();
    const left = [...queued, ...this.#inFlight.values()].map(({ lease }) => lease);
    if (left.length === 0) return;
    const { storage, logger } = this.#options;
    await storage.releaseDeliveries(left).catch((error: unknown) => {
      logger.warn({ err: error }, 'deliveries could not be released; the next start claims them');
    });
  }

  #originOf(name: string): OriginQueue {
    const known = this.#origins.get(name);
    if (known !== undefined) return known;
    const origin = new OriginQueue(name);
    this.#origins.set(name, origin);
    return origin;
  }

  #sendNext(origin: OriginQueue): void {
    const now = this.#options.clock();
    for (let next = origin.dequeue(now); next !== null; next = origin.dequeue(now)) {
      if (next.leaseEndsAt <= now) {
        this.#options.onLeaseLost(next);
        this.#forget(origin, next);
        continue;
      }
      origin.inFlight += 1;
      void this.#attempt(origin, next);
    }
    if (origin.queued.length > 0 && origin.circuit.openUntil > now) this.#loop.scheduleAt(origin.circuit.openUntil);
  }

  async #attempt(origin: OriginQueue, delivery: LeasedDelivery): Promise<void> {
    const { send, record, clock, toWall, random, logger } = this.#options;
    const number = delivery.attempts + 1;
    const startedAt = clock();
    this.#inFlight.set(delivery.id, delivery);
    const signal = delivery.isAwaited ? delivery.beginAttempt() : this.#stop.signal;
    const result = await sendOnce(delivery, { send, number, now: toWall(startedAt), signal, logger });
    origin.inFlight -= 1;
    // An attempt that the server aborted is not recorded: the delivery is released and tried again.
    if (!this.#stop.signal.aborted) {
      const now = clock();
      const next = endAttempt(origin, delivery, { number, result, now, wallNow: toWall(now) }, random);
      if (next.dueAt !== null) origin.markDue(next.dueAt);
      if (next.status !== 'delivered') logFailure(logger, delivery, { number, result, status: next.status });
      this.#sendNext(origin);
      await record(delivery, { attempt: number, startedAt, durationMs: Math.max(0, now - startedAt), result }, next);
      this.#forget(origin, delivery);
    }
    if (this.#inFlight.size === 0) this.#onIdle?.();
  }

  /** Releases the memory of a delivery whose attempt is on record, and schedules the next claim. */
  #forget(origin: OriginQueue, delivery: LeasedDelivery): void {
    this.#inFlight.delete(delivery.id);
    this.#byGroup.remove(delivery);
    if (this.#budget.remove(origin, delivery.bytes)) this.#loop.scheduleAt(this.#options.clock());
    if (delivery.latestOf === null) this.#loop.scheduleAt(this.#nextClaimOf(origin));
    else this.#claimSoon(origin);
  }

  #nextClaimOf(origin: OriginQueue): number {
    const mayClaim = !this.#isDraining && this.#budget.availableTo(origin) > 0;
    return mayClaim ? origin.nextClaimAt() : Number.POSITIVE_INFINITY;
  }

  /** A newer delivery of the same group may have waited for one of this origin. */
  #claimSoon(origin: OriginQueue): void {
    const now = this.#options.clock();
    origin.markDue(now);
    this.#loop.scheduleAt(now);
  }

  async #claimDue(): Promise<number> {
    const { storage, clock } = this.#options;
    const now = clock();
    for (const origin of this.#origins.values()) this.#sendNext(origin);
    const claimable = this.#budget.claimable(this.#origins.values(), now);
    const share = this.#budget.remaining / (claimable.length + 1);
    const limits = claimable.map((origin) => ({
      origin: origin.name,
      limit: origin.claimableCount(now),
      maxBytes: Math.min(share, this.#budget.availableTo(origin)),
    }));
    const claimed = limits.length === 0 ? [] : await storage.claimDeliveries(limits);
    for (const delivery of claimed) this.#enqueueClaimed(delivery, now);
    return await this.#queryDueOrigins();
  }

  #enqueueClaimed(claimed: ClaimedDelivery, leasedAt: number): void {
    const origin = this.#originOf(claimed.origin);
    const delivery = new LeasedDelivery(claimed, { runId: parseDeliveryId(claimed.id)?.runId ?? '', hasWaiter: false, leasedAt });
    this.#budget.add(origin, delivery.bytes);
    this.#byGroup.add(delivery, origin);
    origin.queued.push(delivery);
    this.#sendNext(origin);
  }

  /** Asks the database when each origin's next delivery is due, and forgets origins without any. Returns the next claim. */
  async #queryDueOrigins(): Promise<number> {
    const { storage, clock } = this.#options;
    for (const origin of this.#origins.values()) origin.beginDueQuery();
    const now = clock();
    const due = new Map((await storage.listDueOrigins()).map(({ origin, dueAt }) => [origin, dueAt]));
    for (const name of due.keys()) this.#originOf(name);
    let nextClaim = Number.POSITIVE_INFINITY;
    for (const [name, origin] of this.#origins) {
      origin.endDueQuery(due.get(name) ?? Number.POSITIVE_INFINITY);
      if (origin.isIdle(now)) {
        this.#origins.delete(name);
        continue;
      }
      // The pause of its circuit may have ended meanwhile.
      this.#sendNext(origin);
      nextClaim = Math.min(nextClaim, this.#nextClaimOf(origin));
    }
    return nextClaim;
  }

  /** A delivery with an overflow policy is stored: claims what its group may send now. */
  async #claimGroup(origin: OriginQueue, { policy, group }: OverflowGroup): Promise<void> {
    if (policy === 'latest_wins') await this.#yieldToNewer(group);
    this.#claimSoon(origin);
    this.#options.onRunsDue();
  }

  /** Releases the group's delivery unless its attempt has begun, so that storage drops it in favour of the newer one. */
  async #yieldToNewer(group: string): Promise<void> {
    const { storage, logger } = this.#options;
    const place = this.#byGroup.dequeue(group);
    if (place === null) return;
    const { delivery, origin } = place;
    try {
      await storage.releaseDeliveries([delivery.lease]);
      this.#budget.remove(origin, delivery.bytes);
    } catch (error) {
      logger.warn({ err: error, delivery_id: delivery.id }, 'a superseded delivery could not be dropped; it is sent');
      this.#byGroup.add(delivery, origin);
      origin.queued.unshift(delivery);
    }
  }

  async #renewLeases(): Promise<void> {
    const { storage, clock } = this.#options;
    const queued = [...this.#origins.values()].flatMap((origin) => origin.queued);
    await renewLeases([...this.#inFlight.values(), ...queued], storage, clock());
  }
}
