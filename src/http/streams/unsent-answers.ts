// Answers that their readers have not taken yet. Each is accounted for until it is sent or its connection is closed; a
// large one leaves in slices, so that it shows how far its reader is. A reader that takes nothing is let go after a while,
// and at once when others need the room.

import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { Holder, MemoryAccount } from '../../memory-budget.ts';

/** An answer above this leaves in slices of this size. */
export const MAX_UNSENT_BYTES = 65_536;
export const MAX_BEHIND_MS = 30_000;

export class UnsentAnswers {
  readonly #account: MemoryAccount;
  readonly #noted = new WeakMap<ServerResponse, UnsentBytes>();

  constructor(account: MemoryAccount) {
    this.#account = account;
  }

  /** Ends the response with the text. `held` bytes of the account were taken for it, and are given back by then. */
  end(response: ServerResponse, text: string | Buffer, held = 0, patienceMs = MAX_BEHIND_MS): void {
    if (text.length > MAX_UNSENT_BYTES)
      return this.#endInSlices(response, typeof text === 'string' ? Buffer.from(text) : text, held, patienceMs);
    response.end(text);
    this.#account.give(held);
    this.note(response, patienceMs);
  }

  /** The same, with the status and headers of the reply. */
  send(reply: FastifyReply, text: string | Buffer, held = 0): void {
    if (text.length <= MAX_UNSENT_BYTES) {
      this.#account.give(held);
      reply.send(text);
      return this.note(reply.raw);
    }
    // Measuring a long text takes as long as writing it out.
    const bytes = typeof text === 'string' ? Buffer.from(text) : text;
    const headers = { ...reply.getHeaders(), 'content-length': bytes.length };
    reply.hijack();
    reply.raw.writeHead(reply.statusCode, headers as Record<string, string | number>);
    if (reply.request.method !== 'HEAD') return this.end(reply.raw, bytes, held);
    this.#account.give(held);
    reply.raw.end();
  }

  /** Something was written: accounts for what of it the system has not taken. The reader is let go where there is no room. */
  note(response: ServerResponse, patienceMs = MAX_BEHIND_MS): void {
    if (response.writableLength === 0) return;
    const noted = this.#noted.get(response);
    if (noted !== undefined) return noted.update();
    const unsent = new UnsentBytes(response, this.#account);
    this.#noted.set(response, unsent);
    unsent.update();
    if (response.writableLength > MAX_UNSENT_BYTES) response.setTimeout(patienceMs, () => response.destroy());
  }

  #endInSlices(response: ServerResponse, bytes: Buffer, held: number, patienceMs: number): void {
    const account = this.#account;
    account.takeAnyway(bytes.length - held);
    let at = 0;
    let tookAt = performance.now();
    let isOver = false;
    const holder: Holder = {
      stalledMs: () => performance.now() - tookAt,
      cut() {
        finish();
        response.destroy();
      },
    };
    function finish(): void {
      if (isOver) return;
      isOver = true;
      account.removeHolder(holder);
      account.give(bytes.length);
    }
    function pump(): void {
      tookAt = performance.now();
      while (!isOver) {
        const slice = bytes.subarray(at, at + MAX_UNSENT_BYTES);
        at += slice.length;
        if (at >= bytes.length) return void response.end(slice);
        if (!response.write(slice)) return void response.once('drain', pump);
      }
    }
    account.addHolder(holder);
    response.once('close', finish);
    response.setTimeout(patienceMs, () => response.destroy());
    pump();
  }
}

/** What one response has written and the system has not taken. */
class UnsentBytes implements Holder {
  readonly #response: ServerResponse;
  readonly #account: MemoryAccount;
  #held = 0;
  #tookAt = performance.now();
  #isOver = false;

  constructor(response: ServerResponse, account: MemoryAccount) {
    this.#response = response;
    this.#account = account;
    account.addHolder(this);
    response.once('close', () => this.#finish());
  }

  update(): void {
    if (this.#isOver) return;
    const bytes = this.#response.writableLength;
    if (bytes < this.#held) {
      this.#account.give(this.#held - bytes);
      this.#held = bytes;
      this.#tookAt = performance.now();
    } else if (this.#account.take(bytes - this.#held)) this.#held = bytes;
    else this.cut();
  }

  stalledMs(): number {
    if (this.#response.writableLength < this.#held) this.#tookAt = performance.now();
    return performance.now() - this.#tookAt;
  }

  cut(): void {
    this.#finish();
    this.#response.destroy();
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#account.removeHolder(this);
    this.#account.give(this.#held);
    this.#held = 0;
  }
}
