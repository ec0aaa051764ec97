// Collects a request body within its limit.

import type { IncomingMessage } from 'node:http';
import { AppError } from '../../errors.ts';

export function hasBody({ headers }: IncomingMessage): boolean {
  if (headers['transfer-encoding'] !== undefined) return true;
  const length = headers['content-length'];
  return length !== undefined && length !== '0';
}

export function refuseAnnouncedSize({ headers }: IncomingMessage, limit: number): void {
  if (Number(headers['content-length'] ?? 0) > limit) throw tooLarge(limit);
}

export function tooLarge(limit: number): AppError {
  return new AppError('too_large', `the body is larger than the ${limit} bytes that this sink takes`);
}

export function callerGone(): AppError {
  return new AppError('invalid', 'the connection closed before the whole body had come');
}

/** Nothing more is told of a request whose connection closed before anybody listened. */
export function refuseWhenGone(raw: IncomingMessage): void {
  if (raw.destroyed) throw callerGone();
}

/** Whether a read failed because the caller went away. */
export function isCallerGone({ code }: NodeJS.ErrnoException): boolean {
  return code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'FST_MP_PREMATURE_CLOSE';
}

/** Rejects with `too_large` as soon as the limit is passed, and `invalid` when the caller goes away in between. */
export function readBytes(raw: IncomingMessage, limit: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => new BodyReader(raw, limit, resolve, reject));
}

/** One body on its way in. */
class BodyReader {
  readonly #raw: IncomingMessage;
  readonly #limit: number;
  readonly #resolve: (bytes: Uint8Array) => void;
  readonly #reject: (error: AppError) => void;
  readonly #chunks: Buffer[] = [];
  #size = 0;

  constructor(raw: IncomingMessage, limit: number, resolve: (bytes: Uint8Array) => void, reject: (error: AppError) => void) {
    this.#raw = raw;
    this.#limit = limit;
    this.#resolve = resolve;
    this.#reject = reject;
    raw.on('data', (chunk: Buffer) => this.#take(chunk));
    raw.once('end', () => this.#finish());
    raw.once('aborted', () => this.#fail(new AppError('invalid', 'the connection closed before the whole body had come')));
    raw.once('error', () => this.#fail(new AppError('invalid', 'the body could not be read to its end')));
  }

  #take(chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.#size > this.#limit) this.#fail(tooLarge(this.#limit));
    else this.#chunks.push(chunk);
  }

  #finish(): void {
    this.#resolve(this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks));
  }

  #fail(error: AppError): void {
    this.#raw.removeAllListeners('data');
    this.#raw.resume();
    this.#reject(error);
  }
}

/** The same, as a stream of chunks. */
export async function* streamBytes(raw: IncomingMessage, limit: number): AsyncGenerator<Uint8Array> {
  let size = 0;
  try {
    for await (const chunk of raw as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limit) throw tooLarge(limit);
      yield chunk;
    }
  } catch (error) {
    throw isCallerGone(error as NodeJS.ErrnoException) ? callerGone() : error;
  }
}
