// A proxy in front of a server that breaks connections at a chosen byte, as a bad network would.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { onTestEnd } from './cleanup.ts';

export interface CuttingProxy {
  url: string;
  /** Connections so far. */
  connections(): number;
}

/**
 * For each chunk of an answer, `cut` receives the text of the answer so far and the number of the connection, from 0. It
 * returns the length to forward before the proxy breaks the connection; null forwards everything.
 */
export async function startCuttingProxy(target: string, cut: (answer: string, connection: number) => number | null): Promise<CuttingProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((client) => {
    const connection = connections;
    connections += 1;
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => (socket === client ? upstream.destroy() : client.end()));
    }
    client.pipe(upstream);
    let answer = '';
    let sent = 0;
    upstream.on('data', (chunk) => {
      answer += chunk.toString('latin1');
      const end = cut(answer, connection);
      if (end === null || end > answer.length) {
        client.write(chunk);
        sent = answer.length;
        return;
      }
      client.write(Buffer.from(answer.slice(sent, end), 'latin1'), () => client.resetAndDestroy());
      upstream.removeAllListeners('data');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestEnd(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, connections: () => connections };
}
