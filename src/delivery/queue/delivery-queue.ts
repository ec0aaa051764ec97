// Sends deliveries that are on disk. Those of one origin wait for one another and share a circuit breaker, so that a
// dead receiver holds up nobody else. Only some are held in memory; the rest waits in the database until there is room.

import type { Clock } from '../../clock.ts';
import type { DeliveryState } from '../../core/delivery/delivery.ts';
import { parseDeliveryId } from '../../core/delivery/delivery-id.ts';
import type { OutboundResult } from '../../core/delivery/outbound.ts';
import type { OverflowGroup } from '../../core/delivery/overflow.ts';
import { createDueTimer } from '../../leases/due-timer.ts';
import { LEASE_MS } from '../../leases/lease.ts';
import type { Logger } from '../../logger.ts';
import type { MemoryAccount } from '../../memory-budget.ts';
import type { AttemptRecord, ClaimedDelivery, DeliveryLease, NewDelivery } from '../../storage/delivery-records.ts';
import type { Storage } from '../../storage/storage.ts';
import type { Send } from '../sender.ts';
import { endAttempt } from './attempt-end.ts';
import { bytesOf, HeldDelivery } from './held-delivery.ts';
import { HeldRoom } from './held-room.ts';
import { LatestHeld } from './latest-held.ts';
import { OriginLane } from './origin-queue.ts';
import { sendOnce } from './send-once.ts';

export interface DeliveryQueueOptions {
  storage: Pick<Storage, 'claimDeliveries' | 'listDueOrigins' | 'renewDeliveries' | 'releaseDeliveries'>;
  send: Send;
  /** Stores an attempt and what it brings the run that waits. Never rejects. */
  record: (held: HeldDelivery, attempt: AttemptRecord, next: DeliveryState) => Promise<void>;
  /** Told when storage may have dropped what a run waits for. */
  wakeRuns: () => void;
  clock: Clock;
  /** What the wall clock shows at a moment of `clock`. */
  toWall: (at: number) => number;
  /** What messages that are held may take. */
  memory: MemoryAccount;
  random: () => number;
  logger: Logger;
}

export interface DeliveryQueue {
  /** Takes a lease on those that there is room for, before they are stored. */
  admit(deliveries: readonly NewDelivery[]): NewDelivery[];
  /** They are stored: sends those that are held. `isRunHere`: their run is in memory, and is given their results. */
  begin(deliveries: readonly NewDelivery[], runId: string, isRunHere: boolean): void;
  /** They were not stored. */
  withdraw(deliveries: readonly NewDelivery[]): void;
  /** The run is over: what it waits for is broken off, and not held any more where it has not begun to be sent. */
  giveUp(runId: string): void;
  /** Deliveries to this origin have become due in the database. */
  wake(origin: string): void;
  start(): Promise<void>;
  /** Lets what is under way finish within the time, then gives the rest back. */
  drain(timeoutMs: number): Promise<void>;
}

const RENEW_EVERY_MS = 5000;
const NO_DATABASE_MS = 500;

export function createDeliveryQueue(options: DeliveryQueueOptions): DeliveryQueue {
  const { storage, send, record, wakeRuns, memory, clock, toWall, random, logger } = options;
  const lanes = new Map<string, OriginLane>();
  const sending = new Map<string, HeldDelivery>();
  const room = new HeldRoom(memory);
  const latest = new LatestHeld();
  const stop = new AbortController();
  const timer = createDueTimer(clock, () => void claimDue());
  const renewTimer = setInterval(() => {
    renewLeases().catch((error: unknown) => logger.warn({ err: error }, 'the leases of deliveries could not be renewed; trying again'));
  }, RENEW_EVERY_MS);
  let renewedAt = clock();
  let isDraining = false;
  let isClaiming = false;
  let onIdle: (() => void) | null = null;

  function laneOf(name: string): OriginLane {
    const known = lanes.get(name);
    if (known !== undefined) return known;
    const lane = new OriginLane(name);
    lanes.set(name, lane);
    return lane;
  }

  function pump(lane: OriginLane): void {
    const now = clock();
    for (let held = lane.takeNext(now); held !== null; held = lane.takeNext(now)) {
      lane.inFlight += 1;
      void attempt(lane, held);
    }
    if (lane.waiting.length > 0 && lane.circuit.openUntil > now) timer.wakeBy(lane.circuit.openUntil);
  }

  async function attempt(lane: OriginLane, held: HeldDelivery): Promise<void> {
    const number = held.attempts + 1;
    const startedAt = clock();
    sending.set(held.id, held);
    const signal = held.isAwaited ? held.beginAttempt() : stop.signal;
    const result = await sendOnce(held, { send, number, now: toWall(startedAt), signal, logger });
    lane.inFlight -= 1;
    // A try that we broke off ourselves is none; the delivery is given back and tried again.
    if (!stop.signal.aborted) {
      const now = clock();
      const next = endAttempt(lane, held, { number, result, now, wallNow: toWall(now) }, random);
      if (next.dueAt !== null) lane.noteDue(next.dueAt);
      logFailure(held, number, result, next);
      pump(lane);
      await record(held, { attempt: number, startedAt, durationMs: Math.max(0, now - startedAt), result }, next);
      sending.delete(held.id);
      if (room.letGo(lane, held.bytes)) timer.wakeBy(clock());
      latest.letGo(held);
      if (held.latestOf === null) lookFor(lane);
      else lookForNext(lane);
    }
    if (sending.size === 0) onIdle?.();
  }

  function logFailure({ id, runId }: HeldDelivery, number: number, result: OutboundResult, { status }: DeliveryState): void {
    if (status === 'delivered') return;
    const answer = result.kind === 'response' ? result.status : result.kind;
    logger.info({ delivery_id: id, run_id: runId, attempt: number, result: answer, status }, 'delivery attempt failed');
  }

  function lookFor(lane: OriginLane): void {
    if (!isDraining && room.of(lane) > 0) timer.wakeBy(lane.nextLook());
  }

  /** A newer one of a group, to whatever origin, may have waited for one of this lane. */
  function lookForNext(lane: OriginLane): void {
    lane.noteDue(clock());
    timer.wakeBy(clock());
  }

  async function claimDue(): Promise<void> {
    if (isDraining || isClaiming) return;
    isClaiming = true;
    try {
      // After a sleep of the machine, or a long lock, what is being sent must not look abandoned.
      if (clock() - renewedAt > 2 * RENEW_EVERY_MS) await renewLeases();
      const now = clock();
      for (const lane of lanes.values()) pump(lane);
      const open = room.claimable(lanes.values(), now);
      const share = room.left() / (open.length + 1);
      const wanted = open.map((lane) => ({ origin: lane.name, limit: lane.roomForClaims(now), maxBytes: Math.min(share, room.of(lane)) }));
      const claimed = wanted.length === 0 ? [] : await storage.claimDeliveries(wanted, now, now + LEASE_MS);
      for (const delivery of claimed) takeUp(delivery);
      await lookAhead();
    } catch (error) {
      logger.warn({ err: error }, 'due deliveries could not be claimed; trying again');
      timer.wakeBy(clock() + NO_DATABASE_MS);
    } finally {
      isClaiming = false;
    }
  }

  function takeUp(delivery: ClaimedDelivery): void {
    const lane = laneOf(delivery.origin);
    const held = new HeldDelivery(delivery, parseDeliveryId(delivery.id)?.runId ?? '', false);
    room.hold(lane, held.bytes);
    latest.take(held, lane);
    lane.waiting.push(held);
    pump(lane);
  }

  /** A newer one of the group is stored: one that has not begun to be sent is given back, so that storage drops it. */
  async function giveWay(group: string): Promise<void> {
    const place = latest.takeBack(group);
    if (place === null) return;
    const { held, lane } = place;
    try {
      await storage.releaseDeliveries([toLease(held)], clock());
      room.letGo(lane, held.bytes);
    } catch (error) {
      logger.warn({ err: error, delivery_id: held.id }, 'a superseded delivery could not be dropped; it is sent');
      latest.take(held, lane);
      lane.waiting.unshift(held);
    }
  }

  async function lookForStored(lane: OriginLane, overflow: OverflowGroup): Promise<void> {
    if (overflow.policy === 'latest_wins') await giveWay(overflow.group);
    lookForNext(lane);
    wakeRuns();
  }

  /** Learns when each origin's next delivery is due, and forgets origins that have none. */
  async function lookAhead(): Promise<void> {
    for (const lane of lanes.values()) lane.beginAsking();
    const now = clock();
    const due = new Map((await storage.listDueOrigins()).map(({ origin, dueAt }) => [origin, dueAt]));
    for (const name of due.keys()) laneOf(name);
    for (const [name, lane] of lanes) {
      lane.endAsking(due.get(name) ?? Number.POSITIVE_INFINITY);
      if (lane.isIdle(now)) lanes.delete(name);
      else {
        // A pause may have ended meanwhile.
        pump(lane);
        lookFor(lane);
      }
    }
  }

  async function renewLeases(): Promise<void> {
    const now = clock();
    const held = [...sending.values(), ...[...lanes.values()].flatMap(({ waiting }) => waiting)];
    if (held.length > 0) await storage.renewDeliveries(held.map(toLease), now + LEASE_MS);
    renewedAt = now;
  }

  function wake(lane: OriginLane): void {
    lane.noteDue(clock());
    lookFor(lane);
  }

  return {
    admit(deliveries) {
      const leaseUntil = clock() + LEASE_MS;
      return deliveries.map((delivery) => {
        const lane = laneOf(delivery.origin);
        const bytes = bytesOf(delivery.message);
        const hasRoom = !stop.signal.aborted && !lane.isFull && bytes <= room.of(lane);
        // What becomes of one with a policy is known once it is stored.
        if (!hasRoom || delivery.overflow !== null) return delivery;
        room.hold(lane, bytes);
        return { ...delivery, leaseUntil };
      });
    },
    begin(deliveries, runId, isRunHere) {
      for (const { leaseUntil, overflow, ...delivery } of deliveries) {
        const lane = laneOf(delivery.origin);
        if (leaseUntil === null) {
          if (overflow === null) wake(lane);
          else void lookForStored(lane, overflow);
          continue;
        }
        const claimed = { ...delivery, latestOf: null, epoch: 1, attempts: 0, lastAttempt: delivery.retry.maxRetries + 1 };
        lane.waiting.push(new HeldDelivery(claimed, runId, isRunHere && delivery.isAwaited));
        pump(lane);
      }
    },
    withdraw(deliveries) {
      for (const { leaseUntil, origin, message } of deliveries) if (leaseUntil !== null) room.letGo(laneOf(origin), bytesOf(message));
    },
    giveUp(runId) {
      for (const held of sending.values()) if (held.runId === runId && held.isAwaited) held.giveUp();
      for (const lane of lanes.values()) {
        for (const held of lane.giveUp(runId)) {
          room.letGo(lane, held.bytes);
          latest.letGo(held);
          lookForNext(lane);
        }
      }
    },
    wake: (origin) => wake(laneOf(origin)),
    start: lookAhead,
    async drain(timeoutMs) {
      isDraining = true;
      timer.stop();
      clearInterval(renewTimer);
      const waiting = [...lanes.values()].flatMap((lane) => lane.waiting.splice(0));
      let deadline: NodeJS.Timeout | undefined;
      const timeIsUp = new Promise<void>((resolve) => {
        deadline = setTimeout(resolve, timeoutMs);
      });
      const idle = new Promise<void>((resolve) => {
        onIdle = resolve;
        if (sending.size === 0) resolve();
      });
      await Promise.race([idle, timeIsUp]);
      clearTimeout(deadline);
      stop.abort();
      for (const held of sending.values()) held.endAttempt();
      const left = [...waiting, ...sending.values()].map(toLease);
      if (left.length === 0) return;
      await storage.releaseDeliveries(left, clock()).catch((error: unknown) => {
        logger.warn({ err: error }, 'deliveries could not be given back; the next start takes them up');
      });
    },
  };
}

const toLease = ({ id, epoch }: HeldDelivery): DeliveryLease => ({ id, epoch });
