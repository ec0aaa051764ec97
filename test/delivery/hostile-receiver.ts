// A receiver that records what it was sent and misbehaves by path, on 127.0.0.1: nothing leaves the machine.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { onTestEnd } from '../support/cleanup.ts';

export interface ReceivedRequest {
  method: string;
  target: string;
  /** Lower-case names. */
  headers: Record<string, string>;
  /** Names as they came. */
  names: string[];
  body: Buffer;
}

export interface HostileReceiver {
  /** `http://127.0.0.1:<port>`, or https. */
  url: string;
  port: number;
  requests: ReceivedRequest[];
  /** Connections that were opened in all. */
  connections(): number;
  /** Bytes of bodies that its connections took from it. */
  bytesSent(): number;
  /** Resolves when no connection is open. */
  isDeserted(): boolean;
}

type Behaviour = (request: IncomingMessage, response: ServerResponse) => void;

const BEHAVIOURS: Record<string, Behaviour> = {
  ok: (_, response) => response.end('ok'),
  echo: (request, response) => request.pipe(response),
  status: (request, response) => response.writeHead(Number(query(request, 'code')), { 'x-seen': 'yes' }).end('as told'),
  throttle: (_, response) => response.writeHead(429, { 'retry-after': '7' }).end(),
  twice: (_, response) =>
    response
      .writeHead(
        200,
        [
          ['x-list', 'a'],
          ['x-list', 'b'],
        ].flat(),
      )
      .end(),
  redirect: (request, response) => response.writeHead(Number(query(request, 'code')), { location: query(request, 'to') }).end('moved'),
  loop: (request, response) => response.writeHead(307, { location: request.url as string }).end(),
  countdown: (request, response) => countdown(response, Number(query(request, 'left'))),
  hang: () => undefined,
  'hang-body': (_, response) => void response.writeHead(200, { 'content-length': '10' }).write('abc'),
  drip: (_, response) => drip(response),
  interim: (_, response) => interim(response),
  reset: (_, response) => socketOf(response).resetAndDestroy(),
  close: (_, response) => void socketOf(response).end(),
  'cut-body': (_, response) => response.writeHead(200, { 'content-length': '100' }).write('abc', () => socketOf(response).destroy()),
  'two-responses': (_, response) =>
    raw(response, 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nfirstHTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecond'),
  huge: (_, response) => flood(response.writeHead(200, { 'content-length': String(2 ** 30) })),
  endless: (_, response) => flood(response),
  'gzip-bomb': (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(2 ** 23))),
  'endless-headers': (_, response) => endlessHeaders(response),
  'bad-chunks': (_, response) => raw(response, 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nnope\r\n'),
  'bad-length': (_, response) => raw(response, 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!'),
  'not-http': (_, response) => raw(response, 'SSH-2.0-OpenSSH_9.2\r\n'),
  upgrade: (_, response) => raw(response, 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nhello'),
};

/** The request's first path segment names the behaviour; all others answer 404. `onEnd` replaces the end of the running test. */
export async function startReceiver(tls?: ServerOptions, onEnd = onTestEnd): Promise<HostileReceiver> {
  const requests: ReceivedRequest[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  let bytesOfClosed = 0;
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    response.on('error', () => undefined);
    const behave = BEHAVIOURS[(request.url as string).split(/[/?]/)[1] as string];
    const body: Buffer[] = [];
    request.on('data', (chunk: Buffer) => body.push(chunk));
    request.on('end', () => requests.push(recorded(request, Buffer.concat(body))));
    if (behave === BEHAVIOURS['echo']) behave?.(request, response);
    else request.on('end', () => (behave === undefined ? response.writeHead(404).end() : behave(request, response)));
  };
  const server: Server = tls === undefined ? createServer(onRequest) : createTlsServer(tls, onRequest);
  server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
    connections++;
    sockets.add(socket);
    socket
      .on('error', () => undefined)
      .on('close', () => {
        bytesOfClosed += socket.bytesWritten;
        sockets.delete(socket);
      });
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onEnd(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    requests,
    connections: () => connections,
    bytesSent: () => bytesOfClosed,
    isDeserted: () => sockets.size === 0,
  };
}

/** Takes so many bytes every 50 ms and answers after `expected` of them; with 0 it takes none. Returns its URL. */
export async function startDeafReceiver({ readsBytes, expected }: { readsBytes: number; expected: number }): Promise<string> {
  const server = createTcpServer({ pauseOnConnect: true }, (socket) => {
    let taken = 0;
    let room = 0;
    const timer = setInterval(() => {
      room = taken + readsBytes;
      if (readsBytes > 0) socket.resume();
    }, 50);
    socket.on('data', (chunk) => {
      taken += chunk.length;
      if (taken >= room) socket.pause();
      if (taken >= expected) socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
    });
    socket.on('error', () => undefined).on('close', () => clearInterval(timer));
    onTestEnd(() => void socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestEnd(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

function recorded({ method, url, headers, rawHeaders }: IncomingMessage, body: Buffer): ReceivedRequest {
  const names = rawHeaders.filter((_, index) => index % 2 === 0);
  return { method: method as string, target: url as string, headers: headers as Record<string, string>, names, body };
}

function query(request: IncomingMessage, name: string): string {
  return new URL(request.url as string, 'http://receiver').searchParams.get(name) as string;
}

function socketOf(response: ServerResponse): Socket {
  return response.socket as Socket;
}

function raw(response: ServerResponse, bytes: string): void {
  socketOf(response).write(bytes);
}

function countdown(response: ServerResponse, left: number): void {
  if (left === 0) response.end('landed');
  else response.writeHead(302, { location: `/countdown?left=${left - 1}` }).end();
}

/** A byte now and again, for ever: no silence is long enough to notice. */
function drip(response: ServerResponse): void {
  response.writeHead(200);
  const timer = setInterval(() => response.write('.'), 10);
  response.on('close', () => clearInterval(timer));
}

/** Answers that promise an answer, for ever. */
function interim(response: ServerResponse): void {
  const timer = setInterval(() => raw(response, 'HTTP/1.1 103 Early Hints\r\n\r\n'), 10);
  socketOf(response).on('close', () => clearInterval(timer));
}

function flood(response: ServerResponse): void {
  const piece = Buffer.alloc(65_536, 'x');
  const pour = (): void => {
    let isTaken = true;
    while (isTaken && !response.destroyed) isTaken = response.write(piece);
  };
  response.on('drain', pour);
  pour();
}

function endlessHeaders(response: ServerResponse): void {
  const socket = socketOf(response);
  socket.write('HTTP/1.1 200 OK\r\n');
  const pour = (): void => {
    let isTaken = true;
    while (isTaken && !socket.destroyed) isTaken = socket.write(`x-${'a'.repeat(100)}: ${'b'.repeat(1000)}\r\n`);
  };
  socket.on('drain', pour);
  pour();
}
