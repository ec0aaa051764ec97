// A receiver of webhooks on 127.0.0.1: records requests and how many are in flight, answers as configured after a delay,
// and can stop and start again at the same address.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
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
  /** Requests in flight when it arrived, itself included, and answers below 400 until then. */
  underWay: number;
  succeeded: number;
}

export interface WebhookReceiver {
  url: string;
  port: number;
  arrivals: Arrival[];
  /** Refuses connections from now on. */
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
}

export interface ReceiverOptions {
  /** Each answer waits for it. */
  wait?: (arrival: Arrival) => Promise<unknown>;
  body?: string;
  /** Status of an answer, by default 200, and its headers. */
  status?: (arrival: Arrival) => number;
  headers?: (arrival: Arrival) => Record<string, string>;
  /** Receives the function that closes it; by default the end of the test calls it. */
  onEnd?: typeof onTestEnd;
}

export async function startWebhookReceiver(options: ReceiverOptions = {}): Promise<WebhookReceiver> {
  const { onEnd = onTestEnd } = options;
  const arrivals: Arrival[] = [];
  const answer = recordAndAnswer(options, arrivals);
  let port = 0;
  let server: Server;

  async function listen(): Promise<void> {
    server = createServer(answer);
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

function recordAndAnswer(options: ReceiverOptions, arrivals: Arrival[]) {
  const { wait = async () => undefined, body: answer = '', status = () => 200, headers: headersOf = () => ({}) } = options;
  let underWay = 0;
  let succeeded = 0;
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
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
  };
}
