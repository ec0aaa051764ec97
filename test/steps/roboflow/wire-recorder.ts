// A receiver that records requests and gives the answer of a recorded case: a status line, or a redirect to a second port
// of the same host.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface RecordedRequest {
  method: string;
  target: string;
  /** Names in lower case. */
  headers: Record<string, string>;
  body: Buffer;
}

export interface Recorder {
  port: number;
  requests: RecordedRequest[];
  close(): void;
}

/** `response` is `401 Unauthorized`, or `308 Permanent Redirect Location: /next on another port of the same host`. */
export async function startRecorder(response = '200 OK'): Promise<Recorder> {
  const [, status = '200', rest = ''] = /^(\d{3}) (.*)$/.exec(response) ?? [];
  const [reason = '', location] = rest.split(' Location: ');
  const requests: RecordedRequest[] = [];
  const servers: Server[] = [];

  async function listen(
    answer: (request: IncomingMessage) => { status: number; reason: string; headers?: Record<string, string> },
  ): Promise<number> {
    const server = createServer(async (request, outgoing) => {
      const body = await buffer(request);
      requests.push({ method: request.method ?? '', target: request.url ?? '', headers: request.headers as Record<string, string>, body });
      const { status: code, reason: phrase, headers } = answer(request);
      outgoing.writeHead(code, phrase, headers).end();
    });
    servers.push(server.listen(0, '127.0.0.1'));
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  const next = await listen(() => ({ status: 200, reason: 'OK' }));
  const path = location?.split(' ', 1)[0];
  const headers = path === undefined ? {} : { location: location?.includes('another port') ? `http://127.0.0.1:${next}${path}` : path };
  const port = await listen(() => ({ status: Number(status), reason, headers }));
  return {
    port,
    requests,
    close() {
      for (const server of servers) {
        server.closeAllConnections();
        server.close();
      }
    },
  };
}
