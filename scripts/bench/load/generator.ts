// Process entry of the load generator. Each connection sends its next request when the answer to the last has come;
// only whole answers count, and a wrong answer fails the round.

import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitAtMost } from '../../../src/leases/wait-at-most.ts';
import { answerQuestions } from '../helper-process.ts';
import { cpuMicros } from '../process-usage.ts';
import { percentile, sorted } from '../statistics.ts';
import { requestBytes } from '../workload.ts';
import { type Connection, openConnection } from './connection.ts';
import type { LoadOrder, LoadResult, LoadTarget } from './load.ts';
import { answerFault } from './verify-answer.ts';

const HOST = '127.0.0.1';
const VERIFY_ONE_IN = 61;
const PATIENCE_MS = 20_000;

interface Load {
  /** Since the last call: milliseconds that each answer took. */
  takeLatencies(): number[];
  /** Resolves with the next answer, or when none can come any more. */
  nextAnswer(): Promise<void>;
  /** Sends no more; resolves when every answer has come. */
  finish(): Promise<{ acknowledged: number; verified: number }>;
}

async function startLoad({ port, path, kind }: LoadTarget, count: number): Promise<Load> {
  let latencies: number[] = [];
  let acknowledged = 0;
  let verified = 0;
  let isStopping = false;
  let fault: string | null = null;
  let settle: () => void = () => undefined;
  const allSettled = new Promise<void>((resolve) => {
    settle = resolve;
  });
  let announceAnswer: () => void = () => undefined;
  const sentAt = new Map<Connection, number>();

  function send(connection: Connection): void {
    sentAt.set(connection, performance.now());
    connection.send(acknowledged % VERIFY_ONE_IN === 0);
  }

  function retire(connection: Connection): void {
    connection.close();
    sentAt.delete(connection);
    if (sentAt.size === 0) settle();
  }

  function onFault(connection: Connection, message: string): void {
    fault ??= message;
    isStopping = true;
    retire(connection);
  }

  function onAnswer(connection: Connection, status: number, kept: Buffer | null): void {
    latencies.push(performance.now() - (sentAt.get(connection) as number));
    announceAnswer();
    if (status !== 200) return onFault(connection, `the server answered ${status}`);
    const wrong = kept === null ? null : answerFault(kind, kept);
    if (wrong !== null) return onFault(connection, wrong);
    if (kept !== null) verified += 1;
    acknowledged += 1;
    if (isStopping) retire(connection);
    else send(connection);
  }

  const request = requestBytes(path, `${HOST}:${port}`);
  const opening = Array.from({ length: count }, () => openConnection(HOST, port, request, { onAnswer, onFault }));
  for (const connection of await Promise.all(opening)) send(connection);

  return {
    takeLatencies() {
      const taken = latencies;
      latencies = [];
      return taken;
    },
    nextAnswer() {
      const answered = new Promise<void>((resolve) => {
        announceAnswer = resolve;
      });
      return waitAtMost(PATIENCE_MS, Promise.race([answered, allSettled]));
    },
    async finish() {
      isStopping = true;
      const overdue = new AbortController();
      const late = sleep(PATIENCE_MS, undefined, { signal: overdue.signal }).then(() => {
        fault ??= `${sentAt.size} answers did not come within ${PATIENCE_MS / 1000} s`;
        for (const connection of sentAt.keys()) retire(connection);
      });
      await Promise.race([allSettled, late]);
      overdue.abort();
      await late.catch(() => undefined);
      if (fault !== null) throw new Error(`${fault} (port ${port}, ${count} connections)`);
      return { acknowledged, verified };
    },
  };
}

async function runOrder({ target, connections, warmupSeconds, seconds }: LoadOrder): Promise<LoadResult> {
  const load = await startLoad(target, connections);
  await sleep(warmupSeconds * 1000);
  load.takeLatencies();
  const startedAt = performance.now();
  const cpuAtStart = cpuMicros(target.pid);
  const ownAtStart = process.cpuUsage();
  const firstAnswer = load.nextAnswer();
  await sleep(seconds * 1000);
  // On a slow machine, a short round lasts until its first answer.
  await firstAnswer;
  const cpu = cpuMicros(target.pid) - cpuAtStart;
  const own = process.cpuUsage(ownAtStart);
  const elapsedMs = performance.now() - startedAt;
  const latencies = load.takeLatencies();
  const totals = await load.finish();
  if (latencies.length === 0) throw new Error(`no answer within ${PATIENCE_MS / 1000} s (port ${target.port}, ${connections} connections)`);
  const inOrder = sorted(latencies);
  return {
    requestsPerSecond: (latencies.length * 1000) / elapsedMs,
    minMs: percentile(inOrder, 0),
    p50Ms: percentile(inOrder, 0.5),
    p99Ms: percentile(inOrder, 0.99),
    maxMs: percentile(inOrder, 1),
    cpuMicrosPerRequest: cpu / latencies.length,
    generatorBusy: (own.user + own.system) / (elapsedMs * 1000),
    ...totals,
  };
}

answerQuestions(runOrder);
