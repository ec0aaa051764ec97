// Process entry of what deliveries are sent to, so cheap that it does not decide the rate: a raw socket server that
// answers 200 to every request and counts them.

import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { answerQuestions } from '../helper-process.ts';
import { createRequestScanner } from './request-scanner.ts';

/** `hold` lets requests wait for their answers, until `release`. */
export type ReceiverQuestion = 'count' | 'reset' | 'hold' | 'release';

/** The state just after what was asked for was done. */
export interface Received {
  port: number;
  /** Whole requests since the last reset, and the distinct `Idempotency-Key`s among them. */
  requests: number;
  keys: number;
  /** By the receiver's own clock, in ms. */
  lastRequestAt: number;
  askedAt: number;
  /** User and system time of the process. */
  cpuMicros: number;
}

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"ok":true}';
const KEY = /\r\nidempotency-key: *([^\r]+)/i;

const keys = new Set<string>();
let requests = 0;
let lastRequestAt = 0;
let isHolding = false;
/** Once for each request that waits for its answer. */
let held: Socket[] = [];

function takeRequest(socket: Socket, head: string): void {
  requests += 1;
  lastRequestAt = performance.now();
  const key = KEY.exec(head)?.[1];
  if (key !== undefined) keys.add(key);
  if (isHolding) held.push(socket);
  else socket.write(ANSWER);
}

const actions: Record<ReceiverQuestion, () => void> = {
  count: () => undefined,
  reset() {
    requests = 0;
    keys.clear();
  },
  hold() {
    isHolding = true;
  },
  release() {
    isHolding = false;
    for (const socket of held) socket.write(ANSWER);
    held = [];
  },
};

const server = createServer({ noDelay: true }, (socket) => {
  const scanner = createRequestScanner();
  socket.on('data', (bytes) => {
    for (const head of scanner.take(bytes)) takeRequest(socket, head);
  });
  socket.on('error', () => socket.destroy());
}).listen(0, '127.0.0.1');
const listening = once(server, 'listening');

answerQuestions<ReceiverQuestion, Received>(async (question) => {
  await listening;
  actions[question]();
  const { port } = server.address() as AddressInfo;
  const { user, system } = process.cpuUsage();
  return { port, requests, keys: keys.size, lastRequestAt, askedAt: performance.now(), cpuMicros: user + system };
});
