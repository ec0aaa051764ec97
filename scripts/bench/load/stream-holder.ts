// Process entry that opens event streams and holds them open, reading all that comes.

import { connect, type Socket } from 'node:net';
import { answerQuestions } from '../helper-process.ts';
import { requestBytes } from '../workload.ts';

export interface HoldStreams {
  port: number;
  path: string;
  count: number;
}

/** Of the streams that were asked for so far. */
export interface OpenStreams {
  open: number;
  /** Streams that the server has written a heartbeat to. */
  heartbeats: number;
}

const HOST = '127.0.0.1';
/** Few enough not to overrun the server's queue of connections that it has not accepted. */
const AT_A_TIME = 128;
const READ_BUFFER_BYTES = 2048;

const open = new Set<Socket>();
const beating = new Set<Socket>();

/** Resolves when the first event has come, which says that the run is on disk. */
function openStream(port: number, request: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = '';
    const read = (bytes: Buffer): void => {
      if (bytes.includes(': heartbeat')) beating.add(socket);
      if (open.has(socket)) return;
      text += bytes.toString('latin1');
      if (!text.startsWith('HTTP/1.1 200 ') || !text.includes('data: {"type":"progress"')) return;
      open.add(socket);
      resolve();
    };
    const onread = {
      buffer: Buffer.allocUnsafe(READ_BUFFER_BYTES),
      callback(count: number, buffer: Uint8Array): boolean {
        read(buffer.subarray(0, count) as Buffer);
        return true;
      },
    };
    const socket: Socket = connect({ host: HOST, port, onread }, () => socket.write(request));
    socket.on('error', reject);
    socket.on('close', () => {
      open.delete(socket);
      beating.delete(socket);
      reject(new Error(`a stream was not opened: ${text.slice(0, 200)}`));
    });
  });
}

answerQuestions<HoldStreams | 'count', OpenStreams>(async (question) => {
  if (question !== 'count') {
    const { port, path, count } = question;
    const request = requestBytes(path, `${HOST}:${port}`);
    for (let left = count; left > 0; left -= AT_A_TIME)
      await Promise.all(Array.from({ length: Math.min(left, AT_A_TIME) }, () => openStream(port, request)));
  }
  return { open: open.size, heartbeats: beating.size };
});
