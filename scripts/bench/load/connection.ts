// One keep-alive connection that sends the same bytes again and again, one request at a time. A raw socket that reads
// into a buffer of its own, because a client with streams would cost more than the servers that it measures.

import { connect } from 'node:net';
import { createAnswerScanner } from './answer-scanner.ts';

const READ_BUFFER_BYTES = 16_384;

export interface Connection {
  /** `keep`: hand over the bytes of the answer as well. */
  send(keep: boolean): void;
  close(): void;
}

export interface ConnectionEvents {
  /** The whole answer has come. */
  onAnswer(connection: Connection, status: number, kept: Buffer | null): void;
  /** The connection is of no more use. */
  onFault(connection: Connection, message: string): void;
}

/** Resolves once connected, and rejects when it cannot; events come only after that. */
export function openConnection(host: string, port: number, request: Buffer, events: ConnectionEvents): Promise<Connection> {
  const scanner = createAnswerScanner();
  let kept: Buffer[] | null = null;
  let isClosed = false;

  function read(bytes: Buffer): void {
    try {
      kept?.push(Buffer.from(bytes));
      const status = scanner.take(bytes);
      if (status === null) return;
      const whole = kept === null ? null : Buffer.concat(kept);
      kept = null;
      events.onAnswer(connection, status, whole);
    } catch (error) {
      fail((error as Error).message);
    }
  }

  function fail(message: string): void {
    if (isClosed) return;
    connection.close();
    events.onFault(connection, message);
  }

  const socket = connect({
    host,
    port,
    noDelay: true,
    onread: {
      buffer: Buffer.allocUnsafe(READ_BUFFER_BYTES),
      callback(count, buffer) {
        read(buffer.subarray(0, count) as Buffer);
        return true;
      },
    },
  });
  const connection: Connection = {
    send(keep) {
      if (keep) kept = [];
      socket.write(request);
    },
    close() {
      isClosed = true;
      socket.destroy();
    },
  };
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.on('error', (error) => fail(error.message));
      socket.on('close', () => fail('the server closed the connection'));
      resolve(connection);
    });
  });
}
