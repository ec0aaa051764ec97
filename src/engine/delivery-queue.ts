// Sends deliveries that are on disk. Those of one origin wait for one another and share a circuit breaker, so that a
// dead receiver holds up nobody else. Only some are held in memory; the rest waits in the database until there is room.

import type { Clock } from '../clock.ts';
import { afterFailure, afterSuccess, type Circuit, closedCircuit, freeSlots } from '../core/circuit-breaker.ts';
import { afterAttempt, type DeliveryState, judge } from '../core/delivery.ts';
import { parseDeliveryId } from '../core/delivery-id.ts';
import type { OutboundMessage, OutboundResult } from '../core/outbound.ts';
import type { Logger } from '../logger.ts';
import type { AttemptRecord, ClaimedDelivery, DeliveryLease, NewDelivery, Storage } from '../storage/storage.ts';
import { createDueTimer } from './due-timer.ts';
import { type ActiveRun, LEASE_MS } from './turn.ts';

/** Sends one message. Never throws for what the outside world does. */
export type Send = (
  message: OutboundMessage,
  options: { idempotencyKey: string; deliveryId: string; attempt: number; now: number; signal: AbortSignal },
) => Promise<OutboundResult>;

/** A delivery under our lease. */
export interface HeldDelivery extends ClaimedDelivery {
  runId: string;
  /** The run that waits for it, as long as it is in memory. */
  run: ActiveRun | null;
  bytes: number;
}

export interface DeliveryQueueOptions {
  storage: Pick<Storage, 'claimDeliveries' | 'listDueOrigins' | 'renewDeliveries' | 'releaseDeliveries'>;
  send: Send;
  /** Stores an attempt and what it brings the run that waits. Never rejects. */
  record: (held: HeldDelivery, attempt: AttemptRecord, next: DeliveryState) => Promise<void>;
  clock: Clock;
  random: () => number;
  logger: Logger;
}

export interface DeliveryQueue {
  /** Takes a lease on those that there is room for, before they are stored. */
  admit(deliveries: readonly NewDelivery[]): NewDelivery[];
  /** They are stored: sends those that are held. */
  begin(deliveries: readonly NewDelivery[], run: ActiveRun | null, runId: string): void;
  /** They were not stored. */
  withdraw(deliveries: readonly NewDelivery[]): void;
  /** Deliveries to this origin have become due in the database. */
  wake(origin: string): void;
  start(): Promise<void>;
  /** Lets what is under way finish within the time, then gives the rest back. */
  drain(timeoutMs: number): Promise<void>;
}

const MAX_WIDTH = 64;
const MAX_HELD_BY_ORIGIN = 256;
const MAX_HELD_BYTES = 64 * 2 ** 20;
const RENEW_EVERY_MS = 5000;
const NO_DATABASE_MS = 500;

interface Origin {
  name: string;
  circuit: Circuit;
  inFlight: number;
  /** Held, of which these wait for a slot. */
  held: number;
  waiting: HeldDelivery[];
  /** When the next delivery that is not held is due; infinite when there is none. */
  dueAt: number;
  /** The same, of what became due while the database was asked. */
  notedDueAt: number;
}

export function createDeliveryQueue({ storage, send, record, clock, random, logger }: DeliveryQueueOptions): DeliveryQueue {
  const origins = new Map<string, Origin>();
  const sending = new Map<string, HeldDelivery>();
  const stop = new AbortController();
  const timer = createDueTimer(clock, () => void claimDue());
  const renewTimer = setInterval(() => void renew(), RENEW_EVERY_MS);
  let heldBytes = 0;
  let isDraining = false;
  let isClaiming = false;
  let onIdle: (() => void) | null = null;

  function originOf(name: string): Origin {
    let origin = origins.get(name);
    if (origin === undefined) {
      const circuit = closedCircuit(MAX_WIDTH);
      origin = { name, circuit, inFlight: 0, held: 0, waiting: [], dueAt: Number.POSITIVE_INFINITY, notedDueAt: Number.POSITIVE_INFINITY };
      origins.set(name, origin);
    }
    return origin;
  }

  function noteDue(origin: Origin, at: number): void {
    origin.dueAt = Math.min(origin.dueAt, at);
    origin.notedDueAt = Math.min(origin.notedDueAt, at);
  }

  function hasRoom(origin: Origin, bytes: number): boolean {
    return !stop.signal.aborted && origin.held < MAX_HELD_BY_ORIGIN && (heldBytes === 0 || heldBytes + bytes <= MAX_HELD_BYTES);
  }

  function hold(origin: Origin, bytes: number): void {
    origin.held += 1;
    heldBytes += bytes;
  }

  function letGo(origin: Origin, bytes: number): void {
    origin.held -= 1;
    heldBytes -= bytes;
  }

  /** Sends as many as the circuit lets through. A single try that somebody waits for is made in any case. */
  function pump(origin: Origin): void {
    let slots = freeSlots(origin.circuit, origin.inFlight, clock());
    for (let index = 0; index < origin.waiting.length && origin.inFlight < MAX_WIDTH; ) {
      const held = origin.waiting[index] as HeldDelivery;
      if (slots > 0) slots -= 1;
      else if (held.lastAttempt > 1 || origin.circuit.openUntil === 0) {
        if (origin.circuit.openUntil === 0) break;
        index += 1;
        continue;
      }
      origin.waiting.splice(index, 1);
      origin.inFlight += 1;
      void attempt(origin, held);
    }
    if (origin.waiting.length > 0 && origin.circuit.openUntil > 0) timer.wakeBy(origin.circuit.openUntil);
  }

  async function attempt(origin: Origin, held: HeldDelivery): Promise<void> {
    const number = held.attempts + 1;
    const startedAt = clock();
    sending.set(held.id, held);
    let result: OutboundResult;
    try {
      const idempotencyKey = `${held.runId}:${held.step}`;
      result = await send(held.message, {
        idempotencyKey,
        deliveryId: held.id,
        attempt: number,
        now: startedAt,
        signal: held.run?.over.signal ?? stop.signal,
      });
    } catch (error) {
      logger.error({ err: error, delivery_id: held.id }, 'a delivery failed unexpectedly');
      result = { kind: 'refused', reason: 'an internal error kept the message from being sent' };
    }
    origin.inFlight -= 1;
    // A try that we broke off ourselves is none; the delivery is given back and tried again.
    if (!stop.signal.aborted) {
      const now = clock();
      const { message, retry, lastAttempt } = held;
      if (!isGivenUp(held, result)) origin.circuit = countResult(origin.circuit, message, result, now);
      const next: DeliveryState = isGivenUp(held, result)
        ? { status: 'cancelled', dueAt: null }
        : afterAttempt({ message, retry, result, attempt: number, lastAttempt, now, random: random() });
      if (next.dueAt !== null) noteDue(origin, next.dueAt);
      logAttempt(held, number, result, next);
      pump(origin);
      await record(held, { attempt: number, startedAt, durationMs: Math.max(0, now - startedAt), result }, next);
      sending.delete(held.id);
      letGo(origin, held.bytes);
      refill(origin);
    }
    if (sending.size === 0) onIdle?.();
  }

  function countResult(circuit: Circuit, message: OutboundMessage, result: OutboundResult, now: number): Circuit {
    // What was never sent says nothing of the receiver; a 4xx says that it is there.
    if (result.kind === 'refused') return circuit;
    return judge(message, result) === 'retryable' ? afterFailure(circuit, now, random()) : afterSuccess(circuit, MAX_WIDTH);
  }

  function logAttempt({ id, runId }: HeldDelivery, number: number, result: OutboundResult, { status }: DeliveryState): void {
    if (status === 'delivered') return;
    const answer = result.kind === 'response' ? result.status : result.kind;
    logger.info({ delivery_id: id, run_id: runId, attempt: number, result: answer, status }, 'delivery attempt failed');
  }

  function refill(origin: Origin): void {
    if (isDraining || origin.dueAt === Number.POSITIVE_INFINITY) return;
    if (origin.held <= MAX_HELD_BY_ORIGIN / 2) timer.wakeBy(Math.max(origin.dueAt, origin.circuit.openUntil));
  }

  async function claimDue(): Promise<void> {
    if (isDraining || isClaiming) return;
    isClaiming = true;
    try {
      const now = clock();
      const wanted = [...origins.values()].flatMap((origin) => {
        pump(origin);
        const room = heldBytes < MAX_HELD_BYTES ? MAX_HELD_BY_ORIGIN - origin.held : 0;
        // While the circuit is not closed, one at a time: what is held waits in memory for nothing.
        const limit = origin.circuit.openUntil > 0 ? Math.min(room, freeSlots(origin.circuit, origin.held, now)) : room;
        return origin.dueAt <= now && limit > 0 ? [{ origin: origin.name, limit }] : [];
      });
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
    const origin = originOf(delivery.origin);
    const bytes = bytesOf(delivery.message);
    hold(origin, bytes);
    origin.waiting.push({ ...delivery, runId: parseDeliveryId(delivery.id)?.runId ?? '', run: null, bytes });
    pump(origin);
  }

  /** Learns when each origin's next delivery is due, and forgets origins that have none. */
  async function lookAhead(): Promise<void> {
    for (const origin of origins.values()) origin.notedDueAt = Number.POSITIVE_INFINITY;
    const due = new Map((await storage.listDueOrigins()).map(({ origin, dueAt }) => [origin, dueAt]));
    for (const [name, origin] of origins) {
      origin.dueAt = Math.min(due.get(name) ?? Number.POSITIVE_INFINITY, origin.notedDueAt);
      if (origin.held === 0 && origin.dueAt === Number.POSITIVE_INFINITY && origin.circuit.failures === 0) origins.delete(name);
      else refill(origin);
      due.delete(name);
    }
    for (const [name, dueAt] of due) {
      const origin = originOf(name);
      noteDue(origin, dueAt);
      refill(origin);
    }
  }

  function allHeld(): HeldDelivery[] {
    return [...sending.values(), ...[...origins.values()].flatMap(({ waiting }) => waiting)];
  }

  async function renew(): Promise<void> {
    const held = allHeld();
    if (held.length === 0) return;
    await storage.renewDeliveries(held.map(toLease), clock() + LEASE_MS).catch((error: unknown) => {
      logger.warn({ err: error }, 'the leases of deliveries could not be renewed; trying again');
    });
  }

  return {
    admit(deliveries) {
      const leaseUntil = clock() + LEASE_MS;
      return deliveries.map((delivery) => {
        const origin = originOf(delivery.origin);
        const bytes = bytesOf(delivery.message);
        if (!hasRoom(origin, bytes)) return delivery;
        hold(origin, bytes);
        return { ...delivery, leaseUntil };
      });
    },
    begin(deliveries, run, runId) {
      for (const { leaseUntil, ...delivery } of deliveries) {
        const origin = originOf(delivery.origin);
        if (leaseUntil === null) {
          noteDue(origin, clock());
          refill(origin);
          continue;
        }
        const { message, retry, isAwaited } = delivery;
        const held = { ...delivery, epoch: 1, attempts: 0, lastAttempt: retry.maxRetries + 1, runId, bytes: bytesOf(message) };
        origin.waiting.push({ ...held, run: isAwaited ? run : null });
        pump(origin);
      }
    },
    withdraw(deliveries) {
      for (const { leaseUntil, origin, message } of deliveries) if (leaseUntil !== null) letGo(originOf(origin), bytesOf(message));
    },
    wake(name) {
      const origin = originOf(name);
      noteDue(origin, clock());
      refill(origin);
    },
    async start() {
      await lookAhead();
    },
    async drain(timeoutMs) {
      isDraining = true;
      timer.stop();
      clearInterval(renewTimer);
      const waiting = [...origins.values()].flatMap((origin) => origin.waiting.splice(0));
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
      for (const { run } of sending.values()) run?.over.abort();
      await storage.releaseDeliveries([...waiting, ...sending.values()].map(toLease), clock()).catch((error: unknown) => {
        logger.warn({ err: error }, 'deliveries could not be given back; the next start takes them up');
      });
    },
  };
}

/** Its run is over, so nobody wants it any more. */
function isGivenUp({ run }: HeldDelivery, result: OutboundResult): boolean {
  return run?.over.signal.aborted === true && result.kind === 'network' && result.code === 'ABORTED';
}

const toLease = ({ id, epoch }: HeldDelivery): DeliveryLease => ({ id, epoch });

function bytesOf(message: OutboundMessage): number {
  const parts = message.transport === 'http' ? (message.body ?? []) : message.attachments.map(({ content }) => content);
  let bytes = 0;
  for (const part of parts) if (part instanceof Uint8Array) bytes += part.byteLength;
  return bytes;
}
