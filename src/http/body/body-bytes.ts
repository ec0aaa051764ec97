// Collects a request body within its limit.

import { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { LARGE_RUN_BYTES } from '../../core/run/run-weight.ts';
import { AppError } from '../../errors.ts';
import type { BodyHold } from './body-hold.ts';

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
  return code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE';
}

/**
 * Resolves to what `read` makes of the whole body. Rejects with what it throws, with `too_large` as soon as the limit
 * is passed, with `unavailable` where there is no room, and with `invalid` when the caller goes away in between.
 */
export function readBytes<Value>(body: Readable, limit: number, hold: BodyHold, read: (bytes: Buffer) => Value): Promise<Value> {
  return new Promise((resolve, reject) => new BodyReader(body, limit, hold, (bytes) => resolve(read(bytes)), reject));
}

/** Bytes that are copied in one turn of the event loop. */
const BLOCK_BYTES = 65_536;
/** Chunks that are kept as they came until it is looked whether they are small. */
const LOOSE_PIECES = 64;

/** One body on its way in. */
class BodyReader {
  readonly #body: Readable;
  readonly #limit: number;
  readonly #hold: BodyHold;
  readonly #take: (bytes: Buffer) => void;
  readonly #reject: (error: unknown) => void;
  readonly #chunks: Buffer[] = [];
  #size = 0;
  /** Chunks that are not merged any more. */
  #settled = 0;

  constructor(body: Readable, limit: number, hold: BodyHold, take: (bytes: Buffer) => void, reject: (error: unknown) => void) {
    this.#body = body;
    this.#limit = limit;
    this.#hold = hold;
    this.#take = take;
    this.#reject = reject;
    body.on('data', (chunk: Buffer) => this.#add(chunk));
    body.on('end', () => this.#finish());
    body.on('error', (error) => this.#fail(readFailure(error)));
  }

  #add(chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.#size > this.#limit) return this.#fail(tooLarge(this.#limit));
    try {
      this.#hold.take(chunk.length);
      this.#chunks.push(chunk);
      if (this.#chunks.length - this.#settled === LOOSE_PIECES) this.#settle();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Joins pieces that are small: a body that comes byte by byte would take a hundred times its size. */
  #settle(): void {
    const recent = this.#chunks.splice(this.#settled);
    const size = recent.reduce((sum, { length }) => sum + length, 0);
    if (size < BLOCK_BYTES) this.#chunks.push(Buffer.concat(recent));
    else this.#chunks.push(...recent);
    this.#settled = this.#chunks.length;
  }

  #finish(): void {
    try {
      this.#hold.decode();
      if (this.#size > LARGE_RUN_BYTES) void gather(this.#chunks, this.#size).then(this.#take).catch(this.#reject);
      else this.#take(this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks));
    } catch (error) {
      this.#reject(error);
    }
  }

  #fail(error: unknown): void {
    abandon(this.#body);
    this.#reject(error);
  }
}

/** One block a turn of the event loop: many large bodies may be whole at the same moment. */
async function gather(chunks: readonly Buffer[], size: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(size);
  let at = 0;
  let pauseAt = BLOCK_BYTES;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
    if (at < pauseAt) continue;
    pauseAt = at + BLOCK_BYTES;
    await new Promise(setImmediate);
  }
  return bytes;
}

/** Reads no further. The bytes of a request are let go, so that it can be answered; those of a decoder are not made. */
function abandon(body: Readable): void {
  body.removeAllListeners('data');
  if (body instanceof IncomingMessage) body.resume();
  else body.destroy();
}

function readFailure(error: NodeJS.ErrnoException): unknown {
  if (error instanceof AppError) return error;
  return isCallerGone(error) ? callerGone() : new AppError('invalid', 'the body could not be read to its end');
}

/** The same, as a stream of chunks. Whoever reads no further leaves a connection that can still be answered. */
export async function* streamBytes(body: Readable, limit: number): AsyncGenerator<Uint8Array> {
  let size = 0;
  try {
    for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limit) throw tooLarge(limit);
      yield chunk;
    }
  } catch (error) {
    throw isCallerGone(error as NodeJS.ErrnoException) ? callerGone() : error;
  } finally {
    abandon(body);
  }
}
