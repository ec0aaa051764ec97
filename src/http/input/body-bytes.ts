// Collects a request body within its limit.

import type { IncomingMessage } from 'node:http';
import { AppError } from '../../errors.ts';

const EMPTY = new Uint8Array(0);

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

/** Rejects with `too_large` as soon as the limit is passed, and `invalid` when the caller goes away in between. */
export function readBytes(raw: IncomingMessage, limit: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const stop = (error: AppError): void => {
      raw.removeAllListeners('data');
      raw.resume();
      reject(error);
    };
    raw.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > limit) stop(tooLarge(limit));
      else chunks.push(chunk);
    });
    raw.once('end', () => resolve(chunks.length === 0 ? EMPTY : chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
    raw.once('aborted', () => stop(new AppError('invalid', 'the connection closed before the whole body had come')));
    raw.once('error', () => stop(new AppError('invalid', 'the body could not be read to its end')));
  });
}

/** The same, as a stream of chunks. */
export async function* streamBytes(raw: IncomingMessage, limit: number): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of raw as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw tooLarge(limit);
    yield chunk;
  }
}
