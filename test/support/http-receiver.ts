// A real receiver of deliveries on 127.0.0.1, whose answer depends on the path of the request.

import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { onTestEnd } from './cleanup.ts';

export interface ReceivedRequest {
  method: string;
  /** Path and query. */
  url: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
}

export interface HttpReceiver {
  url: string;
  received: ReceivedRequest[];
  /** Sets the answer of a path from now on; without one it is 200 with an empty body. */
  answer(path: string, answer: Answer): void;
}

export async function startHttpReceiver(onEnd: typeof onTestEnd): Promise<HttpReceiver> {
  const received: ReceivedRequest[] = [];
  const answers = new Map<string, Answer>();
  const server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request;
    received.push({ method, url, headers, body: (await buffer(request)).toString() });
    const { status, headers: fields = {}, body = '' } = answers.get(url.split('?')[0] as string) ?? { status: 200 };
    response.writeHead(status, fields).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onEnd(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, received, answer: (path, answer) => void answers.set(path, answer) };
}
