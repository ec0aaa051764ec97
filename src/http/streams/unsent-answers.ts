// Accounts for answers until they are sent or their connection closes. Large ones are written in slices to see their
// reader's progress; a reader without any is disconnected after a while, or at once when others need its memory.

import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { Holder, MemoryAccount } from '../../memory-budget.ts';

/** Larger answers are written in slices of this size. */
export const MAX_UNSENT_BYTES = 65_536;
export const MAX_STALLED_MS = 30_000;

export class UnsentAnswers {
  readonly #account: MemoryAccount;
  readonly #tracked = new WeakMap<ServerResponse, UnsentBytes>();

  constructor(account: MemoryAccount) {
    this.#account = account;
  }

  /** Ends the response with the text, and releases the `reservedBytes` of the account once they are not needed. */
  end(response: ServerResponse, text: string | Buffer, reservedBytes = 0, maxStalledMs = MAX_STALLED_MS): void {
    if (text.length > MAX_UNSENT_BYTES)
      return this.#endInSlices(response, typeof text === 'string' ? Buffer.from(text) : text, reservedBytes, maxStalledMs);
    response.end(text);
    this.#account.release(reservedBytes);
    this.track(response, maxStalledMs);
  }

  /** As `end`, with the status and headers of the reply. */
  send(reply: FastifyReply, text: string | Buffer, reservedBytes = 0): void {
    if (text.length <= MAX_UNSENT_BYTES) {
      this.#account.release(reservedBytes);
      reply.send(text);
      return this.track(reply.raw);
    }
    // Measuring a long text takes as long as writing it out.
    const bytes = typeof text === 'string' ? Buffer.from(text) : text;
    const headers = { ...reply.getHeaders(), 'content-length': bytes.length };
    reply.hijack();
    reply.raw.writeHead(reply.statusCode, headers as Record<string, string | number>);
    if (reply.request.method !== 'HEAD') return this.end(reply.raw, bytes, reservedBytes);
    this.#account.release(reservedBytes);
    reply.raw.end();
  }

  /** Call after a write: accounts for the bytes that wait in the process. Disconnects the reader when the account is full. */
  track(response: ServerResponse, maxStalledMs = MAX_STALLED_MS): void {
    if (response.writableLength === 0) return;
    const noted = this.#tracked.get(response);
    if (noted !== undefined) return noted.update();
    const unsent = new UnsentBytes(response, this.#account);
    this.#tracked.set(response, unsent);
    unsent.update();
    if (response.writableLength > MAX_UNSENT_BYTES) response.setTimeout(maxStalledMs, () => response.destroy());
  }

  #endInSlices(response: ServerResponse, bytes: Buffer, reservedBytes: number, maxStalledMs: number): void {
    const account = this.#account;
    account.reserveAnyway(bytes.length - reservedBytes);
    let at = 0;
    let progressAt = performance.now();
    let isFinished = false;
    const holder: Holder = {
      stalledMs: () => performance.now() - progressAt,
      abort() {
        finish();
        response.destroy();
      },
    };
    function finish(): void {
      if (isFinished) return;
      isFinished = true;
      account.removeHolder(holder);
      account.release(bytes.length);
    }
    function pump(): void {
      progressAt = performance.now();
      while (!isFinished) {
        const slice = bytes.subarray(at, at + MAX_UNSENT_BYTES);
        at += slice.length;
        if (at >= bytes.length) return void response.end(slice);
        if (!response.write(slice)) return void response.once('drain', pump);
      }
    }
    account.addHolder(holder);
    response.once('close', finish);
    response.setTimeout(maxStalledMs, () => response.destroy());
    pump();
  }
}

/** Bytes of one response that the operating system has not accepted. */
class UnsentBytes implements Holder {
  readonly #response: ServerResponse;
  readonly #account: MemoryAccount;
  #reserved = 0;
  #progressAt = performance.now();
  #isFinished = false;

  constructor(response: ServerResponse, account: MemoryAccount) {
    this.#response = response;
    this.#account = account;
    account.addHolder(this);
    response.once('close', () => this.#finish());
  }

  update(): void {
    if (this.#isFinished) return;
    const bytes = this.#response.writableLength;
    if (bytes < this.#reserved) {
      this.#account.release(this.#reserved - bytes);
      this.#reserved = bytes;
      this.#progressAt = performance.now();
    } else if (this.#account.tryReserve(bytes - this.#reserved)) this.#reserved = bytes;
    else this.abort();
  }

  stalledMs(): number {
    if (this.#response.writableLength < this.#reserved) this.#progressAt = performance.now();
    return performance.now() - this.#progressAt;
  }

  abort(): void {
    this.#finish();
    this.#response.destroy();
  }

  #finish(): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    this.#account.removeHolder(this);
    this.#account.release(this.#reserved);
    this.#reserved = 0;
  }
}
