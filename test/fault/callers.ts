// Callers of a server, many at once, who send and read as quickly as they can, slowly, or stop in the midst of it.

import { connect, type Socket } from 'node:net';

export type Pace = 'reading' | 'slow' | 'silent';

export interface Call {
  /** The head of a request, without the empty line; a Content-Length is added where there is a body. */
  head: string;
  body: Buffer | null;
  /** Where the pace is kept: while the body is sent, or while the answer is read. */
  paced: 'body' | 'answer';
}

/** What a slow caller moves at once, and how often. */
const SLOW_BYTES = 16_384;
const SLOW_EVERY_MS = 50;

const LOOK_EVERY_MS = 20;

/**
 * Resolves to the statuses of the answers when every caller has its whole answer, or `isOver` returns true. Then all hang
 * up. `isOver` gets whether every byte that the callers have written has left them.
 */
export async function callTogether(
  port: number,
  count: number,
  call: Call,
  pace: Pace,
  isOver: (areSent: boolean) => boolean,
): Promise<Map<string, number>> {
  const statuses = new Map<string, number>();
  const sockets: Socket[] = [];
  const timers: NodeJS.Timeout[] = [];
  const calls = Array.from({ length: count }, async () => {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => undefined);
    const status = await answerOf(socket, call, pace, timers);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  });
  const over = new Promise<void>((resolve) => {
    timers.push(setInterval(() => isOver(sockets.every(isSent)) && resolve(), LOOK_EVERY_MS));
  });
  await Promise.race([Promise.all(calls), over]);
  for (const timer of timers) clearInterval(timer);
  for (const socket of sockets) socket.destroy();
  await Promise.all(calls);
  return statuses;
}

const isSent = ({ destroyed, connecting, writableLength }: Socket): boolean => destroyed || (!connecting && writableLength === 0);

/** The status of the answer, or that there was none. */
function answerOf(socket: Socket, { head, body, paced }: Call, pace: Pace, timers: NodeJS.Timeout[]): Promise<string> {
  const isPaced = (part: Call['paced']): boolean => pace !== 'reading' && paced === part;
  return new Promise((resolve) => {
    let status = 'none';
    let left = Number.POSITIVE_INFINITY;
    socket.on('data', (chunk: Buffer) => {
      if (status === 'none') {
        const text = chunk.toString('latin1');
        status = text.slice(9, 12);
        left = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? Number.POSITIVE_INFINITY) + text.indexOf('\r\n\r\n') + 4;
      }
      left -= chunk.length;
      if (left <= 0 || chunk.includes('\r\n0\r\n\r\n')) resolve(status);
    });
    socket.on('close', () => resolve(status));
    socket.write(`${head}${body === null ? '' : `Content-Length: ${body.length}\r\n`}\r\n`);
    if (body !== null) sendBody(socket, body, isPaced('body') ? pace : 'reading', timers);
    if (!isPaced('answer')) return;
    socket.pause();
    if (pace === 'silent') return;
    timers.push(setInterval(() => void socket.read(SLOW_BYTES), SLOW_EVERY_MS));
  });
}

function sendBody(socket: Socket, body: Buffer, pace: Pace, timers: NodeJS.Timeout[]): void {
  if (pace === 'reading') return void socket.write(body);
  if (pace === 'silent') return void socket.write(body.subarray(0, -1));
  let at = 0;
  timers.push(
    setInterval(() => {
      if (socket.destroyed || at >= body.length) return;
      socket.write(body.subarray(at, at + SLOW_BYTES));
      at += SLOW_BYTES;
    }, SLOW_EVERY_MS),
  );
}
