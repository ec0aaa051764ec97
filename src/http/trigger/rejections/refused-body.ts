// The beginning of a request's body, seen as it is read, for the case that the request is refused.

import type { IncomingMessage } from 'node:http';

const MAX_BYTES = 65_536;
/** How long the answer waits for bytes that were not read before the refusal. */
const MAX_WAIT_MS = 1000;

export class RefusedBody {
  readonly #raw: IncomingMessage;
  readonly #chunks: Buffer[] = [];
  #size = 0;
  #isRefused = false;

  constructor(raw: IncomingMessage) {
    this.#raw = raw;
    raw.on('data', this.#add);
    // A listener alone would start the stream before its reader is there.
    raw.pause();
  }

  get bytes(): Buffer {
    return Buffer.from(Buffer.concat(this.#chunks).subarray(0, MAX_BYTES));
  }

  get isTruncated(): boolean {
    return this.#size > MAX_BYTES || !this.#raw.complete;
  }

  /** Resolves once enough of the body is here, or no more comes. */
  async readRest(): Promise<void> {
    this.#isRefused = true;
    const raw = this.#raw;
    // The reader that refused may have removed all listeners.
    raw.off('data', this.#add);
    if (raw.complete && raw.readableLength === 0) return;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        raw.off('data', addMore).off('end', end).off('close', end);
        resolve();
      };
      const addMore = (chunk: Buffer): void => {
        this.#add(chunk);
        if (this.#size > MAX_BYTES) end();
      };
      const timer = setTimeout(end, MAX_WAIT_MS);
      raw.on('data', addMore).on('end', end).on('close', end).resume();
    });
    raw.resume();
  }

  /** Does nothing once the request is refused. */
  forget(): void {
    if (this.#isRefused) return;
    this.#raw.off('data', this.#add);
    this.#chunks.length = 0;
  }

  readonly #add = (chunk: Buffer): void => {
    if (this.#size <= MAX_BYTES) this.#chunks.push(chunk);
    this.#size += chunk.length;
  };
}
