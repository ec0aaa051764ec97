// A receiver that answers with bytes as a test writes them, on 127.0.0.1, and counts what it was sent.

import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { onTestEnd } from '../support/cleanup.ts';
import type { Certificate } from './certificate.ts';

export interface ScriptedReceiver {
  url: string;
  /** Requests that came, by connection. */
  requests: number[];
}

export interface Script {
  /** One after the other, each in a packet of its own. The last one is repeated for further requests. */
  answers: readonly (string | readonly string[])[];
  closes?: boolean;
  /** Answers when the head has come, and takes no more of the body. */
  isEarly?: boolean;
  /** Speaks TLS. */
  certificate?: Certificate;
}

export async function startScriptedReceiver({ answers, closes = false, isEarly = false, certificate }: Script): Promise<ScriptedReceiver> {
  const requests: number[] = [];
  let answered = 0;

  async function answer(socket: Socket): Promise<void> {
    const pieces = [answers[Math.min(answered++, answers.length - 1)] ?? ''].flat();
    for (const piece of pieces) {
      socket.write(piece, 'latin1');
      await new Promise(setImmediate);
    }
    if (closes) socket.end();
  }

  const sockets = new Set<Socket>();
  const onConnection = (socket: Socket): void => {
    const number = requests.push(0) - 1;
    sockets.add(socket);
    let text = '';
    socket
      .on('error', () => undefined)
      .on('close', () => sockets.delete(socket))
      .on('data', (chunk) => {
        text += chunk.toString('latin1');
        const end = text.indexOf('\r\n\r\n');
        if (end === -1) return;
        const length = Number(/^content-length: (\d+)/im.exec(text)?.[1] ?? 0);
        const isChunked = /^transfer-encoding: chunked/im.test(text);
        const isWhole = isChunked ? text.endsWith('0\r\n\r\n') : text.length >= end + 4 + length;
        if (!isWhole && !isEarly) return;
        if (isEarly) socket.pause();
        text = '';
        requests[number] = (requests[number] ?? 0) + 1;
        void answer(socket);
      });
  };
  const server = certificate === undefined ? createServer({ noDelay: true }, onConnection) : createTlsServer(certificate, onConnection);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestEnd(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `${certificate === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}/h`, requests };
}
