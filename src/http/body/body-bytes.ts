// Collects a request body within its limit.

import { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { LARGE_RUN_BYTES } from '../../core/run/run-weight.ts';
import { AppError } from '../../errors.ts';
import type { BodyMemory } from './body-memory.ts';

export function hasBody({ headers }: IncomingMessage): boolean {
  if (headers['transfer-encoding'] !== undefined) return true;
  const length = headers['content-length'];
  return length !== undefined && length !== '0';
}

export function refuseAnnouncedSize({ headers }: IncomingMessage, limit: number): void {
  if (Number(headers['content-length'] ?? 0) > limit) throw tooLarge(limit);
}

export function tooLarge(limit: number): AppError {
  return new AppError('too_large', `the body is larger than the ${limit} bytes that this sink accepts`);
}

export function callerGone(): AppError {
  return new AppError('invalid', 'the connection closed before the whole body arrived', { reason: 'aborted' });
}

/** Throws when the connection is closed already: its stream then emits no further events. */
export function refuseWhenGone(raw: IncomingMessage): void {
  if (raw.destroyed) throw callerGone();
}

/** True when a read failed because the caller disconnected. */
export function isCallerGone({ code }: NodeJS.ErrnoException): boolean {
  return code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE';
}

/** Called with each chunk of a body as it comes. */
export type Seen = (chunk: Uint8Array) => void;

/** Calls `seen` with the chunks of a stream that has another reader, which starts later. */
export function listen(raw: IncomingMessage, seen: Seen | null): void {
  if (seen === null) return;
  raw.on('data', seen);
  // A listener alone would start the stream before its reader is there.
  raw.pause();
}

/**
 * Resolves to the result of `read` for the whole body. Rejects with its error, with `too_large` as soon as the body exceeds
 * the limit, with `unavailable` when memory is full, and with `invalid` when the caller disconnects.
 */
export function readBytes<Value>(body: Readable, { limit, bodyMemory, seen }: ReadOptions, read: (bytes: Buffer) => Value): Promise<Value> {
  return new Promise((resolve, reject) => new BodyReader(body, limit, bodyMemory, seen, (bytes) => resolve(read(bytes)), reject));
}

interface ReadOptions {
  limit: number;
  bodyMemory: BodyMemory;
  seen: Seen | null;
}

/** Bytes copied per turn of the event loop. */
const BLOCK_BYTES = 65_536;
/** Chunks received before small ones are merged. */
const MAX_UNMERGED = 64;

/** Receives one body. */
class BodyReader {
  readonly #body: Readable;
  readonly #limit: number;
  readonly #memory: BodyMemory;
  readonly #seen: Seen | null;
  readonly #resolve: (bytes: Buffer) => void;
  readonly #reject: (error: unknown) => void;
  readonly #chunks: Buffer[] = [];
  #size = 0;
  /** Leading chunks that are final. */
  #mergedCount = 0;

  constructor(
    body: Readable,
    limit: number,
    bodyMemory: BodyMemory,
    seen: Seen | null,
    take: (bytes: Buffer) => void,
    reject: (error: unknown) => void,
  ) {
    this.#body = body;
    this.#limit = limit;
    this.#memory = bodyMemory;
    this.#seen = seen;
    this.#resolve = take;
    this.#reject = reject;
    body.on('data', (chunk: Buffer) => this.#add(chunk));
    body.on('end', () => this.#finish());
    body.on('error', (error) => this.#fail(readFailure(error)));
    // Another listener may have paused it until its reader is here.
    body.resume();
  }

  #add(chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.#size > this.#limit) return this.#fail(tooLarge(this.#limit));
    try {
      this.#memory.reserve(chunk.length);
      this.#seen?.(chunk);
      this.#chunks.push(chunk);
      if (this.#chunks.length - this.#mergedCount === MAX_UNMERGED) this.#mergeSmall();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Merges small chunks: a body received byte by byte would need a hundred times its size. */
  #mergeSmall(): void {
    const recent = this.#chunks.splice(this.#mergedCount);
    const size = recent.reduce((sum, { length }) => sum + length, 0);
    if (size < BLOCK_BYTES) this.#chunks.push(Buffer.concat(recent));
    else this.#chunks.push(...recent);
    this.#mergedCount = this.#chunks.length;
  }

  #finish(): void {
    try {
      this.#memory.reserveDecoded();
      if (this.#size > LARGE_RUN_BYTES) void concatenate(this.#chunks, this.#size).then(this.#resolve).catch(this.#reject);
      else this.#resolve(this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks));
    } catch (error) {
      this.#reject(error);
    }
  }

  #fail(error: unknown): void {
    stopReading(this.#body);
    this.#reject(error);
  }
}

/** Copies one block per turn of the event loop: many large bodies may complete at the same moment. */
async function concatenate(chunks: readonly Buffer[], size: number): Promise<Buffer> {
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

/** Drains a request, so that it can be answered; stops a decoder. */
function stopReading(body: Readable): void {
  body.removeAllListeners('data');
  if (body instanceof IncomingMessage) body.resume();
  else body.destroy();
}

function readFailure(error: NodeJS.ErrnoException): unknown {
  if (error instanceof AppError) return error;
  return isCallerGone(error) ? callerGone() : new AppError('invalid', 'the body could not be read completely');
}

/** As `readBytes`, in chunks and without a memory account. A reader may stop early; the request can still be answered. */
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
    stopReading(body);
  }
}
