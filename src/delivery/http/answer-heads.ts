// Filters the heads of answers between a connection and the parser: drops interim answers, and rewrites heads that HTTP
// allows and the parser refuses. All other bytes pass unchanged.

import type { Socket } from 'node:net';
import { settleHead } from './answer-head.ts';

/** A longer head passes, for the parser to refuse. */
const MAX_HEAD_BYTES = 16_384;
const VERSION = Buffer.from('HTTP/1.');
const END = '\r\n\r\n';

export class AnswerHeads {
  readonly #push: Socket['push'];
  #isExpected = false;
  /** The beginning of an incomplete head. */
  #partial: Buffer | null = null;

  /** From now on the socket's reader gets the filtered bytes. */
  constructor(socket: Socket) {
    this.#push = socket.push.bind(socket);
    socket.push = (chunk: unknown, encoding) =>
      this.#isExpected && chunk instanceof Uint8Array ? this.#take(chunk) : this.#push(chunk, encoding);
  }

  /** A request goes out: the next bytes are the head of its answer. */
  expect(): void {
    this.#isExpected = true;
    this.#partial = null;
  }

  #take(chunk: Uint8Array): boolean {
    let rest =
      this.#partial === null ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength) : Buffer.concat([this.#partial, chunk]);
    this.#partial = null;
    for (let end = rest.indexOf(END); end !== -1; end = rest.indexOf(END)) {
      if (end > MAX_HEAD_BYTES) return this.#pass(rest);
      const head = rest.toString('latin1', 0, end + END.length);
      const settled = settleHead(head);
      if (settled === head) return this.#pass(rest);
      rest = rest.subarray(end + END.length);
      if (settled !== null) return this.#pass(Buffer.concat([Buffer.from(settled, 'latin1'), rest]));
    }
    if (rest.byteLength > MAX_HEAD_BYTES || !mayBeHead(rest)) return this.#pass(rest);
    if (rest.byteLength > 0) this.#partial = rest;
    // The socket reads on.
    return true;
  }

  #pass(bytes: Buffer): boolean {
    this.#isExpected = false;
    return this.#push(bytes);
  }
}

/** False for bytes that cannot begin a head: they pass at once. */
function mayBeHead(bytes: Buffer): boolean {
  const length = Math.min(bytes.byteLength, VERSION.byteLength);
  return bytes.subarray(0, length).equals(VERSION.subarray(0, length)) && !bytes.includes('\n\n');
}
