// Reads the heads of answers on their way from a connection to the parser behind it: interim answers are left out, and what
// HTTP lets a client take is brought to where the parser takes it. Everything else passes as it came.

import type { Socket } from 'node:net';
import { settleHead } from './answer-head.ts';

/** A longer head passes, for the parser to refuse. */
const MAX_HEAD_BYTES = 16_384;
const VERSION = Buffer.from('HTTP/1.');
const END = '\r\n\r\n';

export class AnswerHeads {
  readonly #push: Socket['push'];
  #isExpected = false;
  /** The beginning of a head that is not whole yet. */
  #held: Buffer | null = null;

  /** From here on the socket gives its reader what passes. */
  constructor(socket: Socket) {
    this.#push = socket.push.bind(socket);
    socket.push = (chunk: unknown, encoding) =>
      this.#isExpected && chunk instanceof Uint8Array ? this.#take(chunk) : this.#push(chunk, encoding);
  }

  /** A request goes out: what comes next is the head of its answer. */
  expect(): void {
    this.#isExpected = true;
    this.#held = null;
  }

  #take(chunk: Uint8Array): boolean {
    let rest = this.#held === null ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength) : Buffer.concat([this.#held, chunk]);
    this.#held = null;
    for (let end = rest.indexOf(END); end !== -1; end = rest.indexOf(END)) {
      if (end > MAX_HEAD_BYTES) return this.#pass(rest);
      const head = rest.toString('latin1', 0, end + END.length);
      const settled = settleHead(head);
      if (settled === head) return this.#pass(rest);
      rest = rest.subarray(end + END.length);
      if (settled !== null) return this.#pass(Buffer.concat([Buffer.from(settled, 'latin1'), rest]));
    }
    if (rest.byteLength > MAX_HEAD_BYTES || !mayBeHead(rest)) return this.#pass(rest);
    if (rest.byteLength > 0) this.#held = rest;
    // The socket reads on.
    return true;
  }

  #pass(bytes: Buffer): boolean {
    this.#isExpected = false;
    return this.#push(bytes);
  }
}

/** What cannot become one is not waited for. */
function mayBeHead(bytes: Buffer): boolean {
  const length = Math.min(bytes.byteLength, VERSION.byteLength);
  return bytes.subarray(0, length).equals(VERSION.subarray(0, length)) && !bytes.includes('\n\n');
}
