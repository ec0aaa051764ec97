// Content codings of request bodies (RFC 9110, 8.4): undone while the body comes in, with the sink's limit on what comes
// out of each, so that a small body cannot become a large one.

import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import { charsetOf } from '../../core/values/charset.ts';
import { AppError } from '../../errors.ts';
import { callerGone, isCallerGone, tooLarge } from './body-bytes.ts';

type Coding = 'gzip' | 'deflate' | 'br';
type Decoder = ReturnType<typeof createGunzip> | ReturnType<typeof createBrotliDecompress>;

const TAKEN: Readonly<Record<string, Coding>> = { gzip: 'gzip', 'x-gzip': 'gzip', deflate: 'deflate', br: 'br' };
/** No sender codes a body twice; each coding is a factor of a thousand for one that means harm. */
const MAX_CODINGS = 2;

/**
 * The body as it was before it was coded; the request itself where it is not. Throws `unsupported_media` for a coding that
 * is not taken. The stream fails with `invalid` where the bytes are not coded so, and with `too_large` beyond `limit`.
 */
export function openBody(raw: IncomingMessage, limit: number): Readable {
  const header = raw.headers['content-encoding'];
  if (header === undefined) return raw;
  const codings = readCodings(header);
  if (codings.length === 0) return raw;
  const decoded = codings.reduceRight((source, coding) => undo(source, coding, limit), chunksOf(raw));
  return Readable.from(decoded, { objectMode: false });
}

/** In the order in which they were applied. */
function readCodings(header: string): Coding[] {
  const names = header
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => !isNoCoding(name));
  return names.map((name) => {
    const coding = Object.hasOwn(TAKEN, name) ? TAKEN[name] : undefined;
    if (coding !== undefined && names.length <= MAX_CODINGS) return coding;
    const what =
      coding === undefined ? `Content-Encoding "${name}" is not taken` : `a body that is coded ${names.length} times is not taken`;
    throw new AppError('unsupported_media', `${what}; send the body as it is, or in one of gzip, deflate, br`, {
      headers: { 'accept-encoding': 'gzip, deflate, br' },
    });
  });
}

const TOKEN = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;
/** Words of programs for nothing, and MIME's names for bytes as they are, which senders put here. */
const NOTHING: ReadonlySet<string> = new Set(['identity', 'none', 'null', 'undefined', 'false', '*', '7bit', '8bit', 'binary']);

/** Names that say nothing of a coding, for senders mix the header up with the character set and the media type. */
function isNoCoding(name: string): boolean {
  return !TOKEN.test(name) || NOTHING.has(name) || (!Object.hasOwn(TAKEN, name) && charsetOf(name) !== null);
}

/** A request that is read no further is drained, and stays open for its answer. */
async function* chunksOf(raw: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    yield* raw.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  } catch (error) {
    throw isCallerGone(error as NodeJS.ErrnoException) ? callerGone() : error;
  } finally {
    raw.resume();
  }
}

async function* undo(source: AsyncGenerator<Buffer>, coding: Coding, limit: number): AsyncGenerator<Buffer> {
  const first = await source.next();
  if (first.done === true) return;
  let taken = 0;
  async function* counted(): AsyncGenerator<Buffer> {
    taken += (first.value as Buffer).length;
    yield first.value as Buffer;
    for await (const chunk of source) {
      taken += chunk.length;
      yield chunk;
    }
  }
  const decoder = decoderOf(coding, first.value);
  // What fails here fails the decoder too, which is read below.
  pipeline(counted, decoder).catch(() => undefined);
  let made = 0;
  try {
    for await (const chunk of decoder as AsyncIterable<Buffer>) {
      made += chunk.length;
      if (made > limit) throw tooLarge(limit);
      yield chunk;
    }
  } catch (error) {
    throw error instanceof AppError ? error : broken(coding, (error as Error).message);
  }
  if (decoder.bytesWritten < taken) throw broken(coding, 'more bytes follow its end');
}

function decoderOf(coding: Coding, [first = 0]: Uint8Array): Decoder {
  if (coding === 'gzip') return createGunzip();
  if (coding === 'br') return createBrotliDecompress();
  // Meant is zlib's format (RFC 9110, 8.4.1.2), whose first byte ends in 8; some send the bare one, whose never does.
  return (first & 0x0f) === 8 ? createInflate() : createInflateRaw();
}

function broken(coding: Coding, reason: string): AppError {
  return new AppError('invalid', `the body is not ${coding}, as its Content-Encoding says: ${reason}`);
}
