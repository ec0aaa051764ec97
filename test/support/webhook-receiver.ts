// The other end of webhooks, on 127.0.0.1: keeps what arrives and how much of it at once, answers as told after a time
// of its own, and can go away and come back at the same address.

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { onTestEnd } from './cleanup.ts';

export interface Arrival {
  /** The request's Idempotency-Key: `run_…:step`. */
  key: string;
  headers: Record<string, string>;
  target: string;
  body: string;
  bytes: Uint8Array;
  /** On the clock of `performance.now()`. */
  at: number;
  /** Requests under way when it came, itself included, and answers below 400 that had been given until then. */
  underWay: number;
  succeeded: number;
}

export interface WebhookReceiver {
  url: string;
  port: number;
  arrivals: Arrival[];
  /** From now on connections are refused. */
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
}

export interface ReceiverOptions {
  /** What each answer waits for. */
  wait?: (arrival: Arrival) => Promise<unknown>;
  body?: string;
  /** The status of an answer, 200 when left out, and its headers. */
  status?: (arrival: Arrival) => number;
  headers?: (arrival: Arrival) => Record<string, string>;
  /** Takes what closes it, in place of the end of the running test. */
  onEnd?: typeof onTestEnd;
}

export async function startWebhookReceiver(options: ReceiverOptions = {}): Promise<WebhookReceiver> {
  const {
    wait = async () => undefined,
    body: answer = '',
    status = () => 200,
    headers: headersOf = () => ({}),
    onEnd = onTestEnd,
  } = options;
  const arrivals: Arrival[] = [];
  let underWay = 0;
  let succeeded = 0;
  let port = 0;
  let server: Server;

  async function listen(): Promise<void> {
    server = createServer(async (request, response) => {
      underWay += 1;
      const seen = { at: performance.now(), underWay, succeeded, target: request.url as string };
      const headers = request.headers as Record<string, string>;
      const bytes = await buffer(request).catch(() => Buffer.alloc(0));
      const body = bytes.toString();
      const arrival = { ...seen, key: headers['idempotency-key'] ?? '', headers, body, bytes };
      arrivals.push(arrival);
      await wait(arrival);
      const code = status(arrival);
      if (code < 400) succeeded += 1;
      underWay -= 1;
      response.writeHead(code, headersOf(arrival)).end(answer);
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  }

  async function goAway(): Promise<void> {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }

  await listen();
  onEnd(async () => {
    if (server.listening) await goAway();
  });
  return { url: `http://127.0.0.1:${port}/hook`, port, arrivals, goAway, comeBack: listen };
}
