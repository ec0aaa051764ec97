// A receiver for developers: an HTTP server that reports each request, and answers as configured. Requests are untrusted:
// none is kept after its report, and none can stop the receiver.

import { once, setMaxListeners } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../clock.ts';
import type { Arrival, ArrivalAnswer } from './arrival.ts';
import { type Behaviour, type PlannedAnswer, planAnswer } from './behaviour.ts';
import { readArrivingBody } from './body-reader.ts';
import { createKeyCounter } from './key-counter.ts';
import { readPairs } from './read-content.ts';
import { createSaver } from './saved-file.ts';
import { shownHeaders } from './shown-headers.ts';
import { beginSignatureCheck } from './signature-check.ts';

export interface ReceiverOptions {
  host: string;
  /** 0 for any free port. */
  port: number;
  behaviour: Behaviour;
  /** Before each answer. */
  delayMs: number;
  /** The key in a `whsec_` secret; null leaves signatures unchecked. */
  signingKey: Uint8Array | null;
  /** An existing folder to save bodies in, or null. */
  folder: string | null;
  /** After this many requests `ended` resolves, and further ones are refused. */
  count: number;
  clock: Clock;
  /** From 0 up to 1. */
  random: () => number;
  /** Called once per request, after its answer. */
  onArrival: (arrival: Arrival) => void;
  /** Called for malformed HTTP. */
  onMalformed: (reason: string, client: string) => void;
}

export interface Receiver {
  url: string;
  ended: Promise<void>;
  /** The number of idempotency keys that came more than once so far. */
  repeatedKeys(): number;
  /** Aborts requests in flight, which are reported as `gone`. */
  close(): Promise<void>;
}

/** Rejects with the system's error when it cannot listen. */
export async function startReceiver(options: ReceiverOptions): Promise<Receiver> {
  const { host, port, onMalformed } = options;
  const keys = createKeyCounter();
  const closing = new AbortController();
  // Each delayed answer adds a listener.
  setMaxListeners(0, closing.signal);
  const inFlight = new Set<Promise<void>>();
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const server = createServer(handleRequests({ ...options, keys, closing: closing.signal }, inFlight, end));
  server.on('clientError', (error, socket) => answerMalformed(error, socket as Socket, onMalformed));
  server.listen(port, host);
  await once(server, 'listening');
  return {
    url: urlOf(server),
    ended,
    repeatedKeys: () => keys.repeated,
    async close() {
      closing.abort();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
      await Promise.all(inFlight);
    },
  };
}

/** Calls `onLast` after `count` requests were reported. */
function handleRequests(reception: Reception, inFlight: Set<Promise<void>>, onLast: () => void): RequestListener {
  const { count, closing, onArrival } = reception;
  let started = 0;
  let reported = 0;
  return (request, response) => {
    started += 1;
    if (started > count || closing.aborted) return void request.socket.destroy();
    const task = receive(request, response, started, reception).then((arrival) => {
      inFlight.delete(task);
      onArrival(arrival);
      reported += 1;
      if (reported === count) onLast();
    });
    inFlight.add(task);
  };
}

function answerMalformed(
  error: NodeJS.ErrnoException & { reason?: string },
  socket: Socket,
  onMalformed: ReceiverOptions['onMalformed'],
): void {
  if (error.code !== 'ECONNRESET') onMalformed(error.reason ?? error.code ?? error.message, socket.remoteAddress ?? 'unknown');
  if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
  // A client that does not close its side must not keep the receiver from stopping.
  socket.destroySoon();
}

function urlOf(server: Server): string {
  const { address, port, family } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

interface Reception extends ReceiverOptions {
  keys: ReturnType<typeof createKeyCounter>;
  closing: AbortSignal;
}

async function receive(request: IncomingMessage, response: ServerResponse, number: number, reception: Reception): Promise<Arrival> {
  const { keys, clock, signingKey, folder, behaviour, random } = reception;
  const since = performance.now();
  const receivedAt = clock();
  const { method = '', url = '', headers, rawHeaders, socket } = request;
  const client = socket.remoteAddress ?? 'unknown';
  const key = headers['idempotency-key']?.toString();
  const idempotency = key === undefined ? null : { key, seen: keys.count(key) };
  const check = beginSignatureCheck(headers, signingKey, receivedAt);
  const save = createSaver(folder, `${new Date(receivedAt).toISOString().replaceAll(/[:.]/g, '-')}-${number}`);
  const closed = new Promise<void>((resolve) => response.once('close', resolve));
  const { body, isWhole } = await readArrivingBody(request, check.add, save);
  const plan = planAnswer(behaviour, number, random());
  const answer: ArrivalAnswer = isWhole ? await sendAnswer(plan, response, closed, reception) : { kind: 'gone' };
  const at = url.indexOf('?');
  return {
    number,
    receivedAt,
    client,
    method,
    path: at === -1 ? url : url.slice(0, at),
    query: at === -1 ? [] : readPairs(url.slice(at + 1)),
    headers: shownHeaders(rawHeaders),
    body,
    signature: check.verdict(),
    idempotency,
    answer,
    tookMs: Math.round(performance.now() - since),
  };
}

/** `closed` resolves when the answer is sent, or the connection breaks before that. */
async function sendAnswer(
  plan: PlannedAnswer,
  response: ServerResponse,
  closed: Promise<void>,
  { delayMs, closing }: Reception,
): Promise<ArrivalAnswer> {
  if (plan.kind === 'hang') return plan;
  if (delayMs > 0) await Promise.race([sleep(delayMs, undefined, { signal: closing }).catch(() => undefined), closed]);
  if (closing.aborted || response.closed) return { kind: 'gone' };
  if (plan.kind === 'reset') {
    const { socket } = response;
    // Node cannot reset a socket that is already ending: it would stay open for ever.
    if (socket?.writableEnded === true) socket.destroy();
    else socket?.resetAndDestroy();
    return plan;
  }
  response.writeHead(plan.status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ received: plan.status < 300 }));
  await closed;
  return response.writableFinished ? plan : { kind: 'gone' };
}
