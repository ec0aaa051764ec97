// One round of sending, of the server or of the bare pool. Each counts what arrives at the receiver, and the server's
// ends when all of it is on record: every accepted run delivered once, under a key of its own.

import { setTimeout as sleep } from 'node:timers/promises';
import type { PoolOrder } from '../baselines/bare-undici.ts';
import type { Helper } from '../helper-process.ts';
import type { LoadGenerator, LoadResult, LoadTarget } from '../load/load.ts';
import { cpuMicros } from '../process-usage.ts';
import type { SluiceProcess } from '../sluice-process.ts';
import type { Received, ReceiverQuestion } from './receiver.ts';
import { DELIVERIES_OF_A_RUN, DELIVERY_PATHS } from './workload.ts';

export interface DeliveryRound {
  deliveriesPerSecond: number;
  /** Runs accepted a second at the same time; 0 where there are none. */
  acceptedPerSecond: number;
  /** Of the sender, for each delivery of the round; with triggers, what accepting the run took is part of it. */
  cpuMicrosEach: number;
  /** CPU time of the receiver over the time measured: near 1, and it was the bottleneck. */
  receiverBusy: number;
  /** In the round, before and after the time measured as well. */
  delivered: number;
}

export type Receiver = Helper<ReceiverQuestion, Received>;

export interface Senders {
  server: SluiceProcess;
  pool: Helper<PoolOrder, { completed: number }>;
  generator: LoadGenerator;
  receiver: Receiver;
  signal: AbortSignal;
}

export interface Span {
  warmupSeconds: number;
  seconds: number;
}

const CONNECTIONS = 64;
const POLL_MS = 20;
const PATIENCE_MS = 180_000;
/** A backlog of runs that were accepted for so long: enough to measure, and not too much to wait for. */
const LEAST_BACKLOG_SECONDS = 0.5;
const MOST_BACKLOG_SECONDS = 4;

/** Triggers come as fast as they are answered, and deliveries compete with them. */
export async function sendWhileTriggered(senders: Senders, span: Span): Promise<DeliveryRound> {
  const { server, receiver } = senders;
  await receiver.ask('reset');
  const deliveredBefore = server.countDelivered();
  const cpuBefore = cpuMicros(server.pid);
  const [load, arrivals] = await Promise.all([trigger(senders, DELIVERY_PATHS.background, span), measureArrivals(senders, span)]);
  await untilDelivered(senders, deliveredBefore, load.acknowledged);
  return {
    ...arrivals,
    acceptedPerSecond: load.requestsPerSecond,
    cpuMicrosEach: (cpuMicros(server.pid) - cpuBefore) / load.acknowledged,
    delivered: load.acknowledged,
  };
}

/** From the first trigger to the last arrival: each run stores many deliveries, and the round ends when all are over. */
export async function sendMany(senders: Senders, { warmupSeconds, seconds }: Span): Promise<DeliveryRound> {
  const { server, receiver } = senders;
  const begin = await receiver.ask('reset');
  const deliveredBefore = server.countDelivered();
  const cpuBefore = cpuMicros(server.pid);
  const load = await trigger(senders, DELIVERY_PATHS.many, { warmupSeconds: 0, seconds: warmupSeconds + seconds });
  const delivered = load.acknowledged * DELIVERIES_OF_A_RUN;
  const end = await untilDelivered(senders, deliveredBefore, delivered);
  const elapsedMs = end.lastRequestAt - begin.askedAt;
  return {
    deliveriesPerSecond: (delivered * 1000) / elapsedMs,
    acceptedPerSecond: load.requestsPerSecond,
    cpuMicrosEach: (cpuMicros(server.pid) - cpuBefore) / delivered,
    receiverBusy: (end.cpuMicros - begin.cpuMicros) / (elapsedMs * 1000),
    delivered,
  };
}

/** The receiver withholds its answers while runs are accepted, and then answers all of them. No attempt fails. */
export async function sendBacklog(senders: Senders, { seconds }: Span): Promise<DeliveryRound> {
  const { server, receiver } = senders;
  await receiver.ask('reset');
  await receiver.ask('hold');
  const deliveredBefore = server.countDelivered();
  const backlogSeconds = Math.min(Math.max(seconds, LEAST_BACKLOG_SECONDS), MOST_BACKLOG_SECONDS);
  const { acknowledged } = await trigger(senders, DELIVERY_PATHS.background, { warmupSeconds: 0, seconds: backlogSeconds });
  const cpuBefore = cpuMicros(server.pid);
  const released = await receiver.ask('release');
  const end = await untilDelivered(senders, deliveredBefore, acknowledged);
  const arrived = end.requests - released.requests;
  if (arrived === 0) throw new Error(`no backlog: all of ${acknowledged} deliveries had been sent before the receiver answered`);
  const elapsedMs = end.lastRequestAt - released.askedAt;
  return {
    deliveriesPerSecond: (arrived * 1000) / elapsedMs,
    acceptedPerSecond: 0,
    cpuMicrosEach: (cpuMicros(server.pid) - cpuBefore) / acknowledged,
    receiverBusy: (end.cpuMicros - released.cpuMicros) / (elapsedMs * 1000),
    delivered: acknowledged,
  };
}

export async function sendByPool(senders: Senders, span: Span): Promise<DeliveryRound> {
  const { pool, receiver } = senders;
  const { port } = await receiver.ask('reset');
  const cpuBefore = cpuMicros(pool.pid);
  const order = { port, connections: CONNECTIONS, seconds: span.warmupSeconds + span.seconds };
  const [{ completed }, arrivals] = await Promise.all([pool.ask(order), measureArrivals(senders, span)]);
  const { requests } = await receiver.ask('count');
  if (requests !== completed) throw new Error(`the bare pool counted ${completed} requests, and the receiver ${requests}`);
  const cpuMicrosEach = (cpuMicros(pool.pid) - cpuBefore) / completed;
  return { ...arrivals, acceptedPerSecond: 0, cpuMicrosEach, delivered: completed };
}

function trigger({ generator, server: { port, pid } }: Senders, path: string, { warmupSeconds, seconds }: Span): Promise<LoadResult> {
  const target: LoadTarget = { port, pid, path, kind: 'accepted' };
  return generator.ask({ target, connections: CONNECTIONS, warmupSeconds, seconds });
}

async function measureArrivals({ receiver, signal }: Senders, { warmupSeconds, seconds }: Span) {
  await sleep(warmupSeconds * 1000, undefined, { signal });
  const begin = await receiver.ask('count');
  await sleep(seconds * 1000, undefined, { signal });
  const end = await receiver.ask('count');
  const elapsedMs = end.askedAt - begin.askedAt;
  return {
    deliveriesPerSecond: ((end.requests - begin.requests) * 1000) / elapsedMs,
    receiverBusy: (end.cpuMicros - begin.cpuMicros) / (elapsedMs * 1000),
  };
}

/** Rejects when anything arrives twice, under a key that was seen, or not at all. */
async function untilDelivered({ server, receiver, signal }: Senders, before: number, accepted: number): Promise<Received> {
  let received = await receiver.ask('count');
  let recorded = 0;
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await sleep(POLL_MS, undefined, { signal })) {
    received = await receiver.ask('count');
    if (received.requests < accepted) continue;
    recorded = server.countDelivered() - before;
    if (recorded >= accepted) break;
  }
  const { requests, keys } = received;
  if (requests === accepted && keys === accepted && recorded === accepted) return received;
  throw new Error(
    `${accepted} deliveries were accepted; ${requests} requests with ${keys} keys arrived, and ${recorded} deliveries are recorded`,
  );
}
