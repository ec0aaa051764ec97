// Decodes content codings of request bodies (RFC 9110, 8.4) as they arrive. The sink's limit applies to the output of each
// decoder, so that a small body cannot become a large one.

import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import { charsetOf } from '../../core/values/charset.ts';
import { AppError } from '../../errors.ts';
import { callerGone, isCallerGone, tooLarge } from './body-bytes.ts';

type Coding = 'gzip' | 'deflate' | 'br';
type Decoder = ReturnType<typeof createGunzip> | ReturnType<typeof createBrotliDecompress>;

const CODINGS: Readonly<Record<string, Coding>> = { gzip: 'gzip', 'x-gzip': 'gzip', deflate: 'deflate', br: 'br' };
/** Senders apply one coding; an attacker gains a factor of a thousand with each. */
const MAX_CODINGS = 2;

/**
 * Returns the decoded body, or the request itself without a coding. Throws `unsupported_media` for an unknown coding. The
 * stream fails with `invalid` when the bytes are not in that coding, and with `too_large` beyond `limit`.
 */
export function openBody(raw: IncomingMessage, limit: number): Readable {
  const header = raw.headers['content-encoding'];
  if (header === undefined) return raw;
  const codings = readCodings(header);
  if (codings.length === 0) return raw;
  const decoded = codings.reduceRight((source, coding) => decode(source, coding, limit), chunksOf(raw));
  return Readable.from(decoded, { objectMode: false });
}

/** In the order in which they were applied. */
function readCodings(header: string): Coding[] {
  const names = header
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => !isNoCoding(name));
  return names.map((name) => {
    const coding = Object.hasOwn(CODINGS, name) ? CODINGS[name] : undefined;
    if (coding !== undefined && names.length <= MAX_CODINGS) return coding;
    const what =
      coding === undefined ? `Content-Encoding "${name}" is not supported` : `a body with ${names.length} content codings is not supported`;
    throw new AppError('unsupported_media', `${what}; send the body without an encoding, or with one of gzip, deflate, br`, {
      headers: { 'accept-encoding': 'gzip, deflate, br' },
    });
  });
}

const TOKEN = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;
/** Placeholders of programs, and MIME's identity encodings, which senders put here. */
const NO_CODING: ReadonlySet<string> = new Set(['identity', 'none', 'null', 'undefined', 'false', '*', '7bit', '8bit', 'binary']);

/** True for names that are not codings: senders confuse the header with the charset and the media type. */
function isNoCoding(name: string): boolean {
  return !TOKEN.test(name) || NO_CODING.has(name) || (!Object.hasOwn(CODINGS, name) && charsetOf(name) !== null);
}

/** When its reader stops, the request is drained and stays open for its answer. */
async function* chunksOf(raw: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    yield* raw.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  } catch (error) {
    throw isCallerGone(error as NodeJS.ErrnoException) ? callerGone() : error;
  } finally {
    raw.resume();
  }
}

async function* decode(source: AsyncGenerator<Buffer>, coding: Coding, limit: number): AsyncGenerator<Buffer> {
  const first = await source.next();
  if (first.done === true) return;
  let consumed = 0;
  async function* counted(): AsyncGenerator<Buffer> {
    consumed += (first.value as Buffer).length;
    yield first.value as Buffer;
    for await (const chunk of source) {
      consumed += chunk.length;
      yield chunk;
    }
  }
  const decoder = decoderOf(coding, first.value);
  // An error here also fails the decoder, which is read below.
  pipeline(counted, decoder).catch(() => undefined);
  let produced = 0;
  try {
    for await (const chunk of decoder as AsyncIterable<Buffer>) {
      produced += chunk.length;
      if (produced > limit) throw tooLarge(limit);
      yield chunk;
    }
  } catch (error) {
    throw error instanceof AppError ? error : malformed(coding, (error as Error).message);
  }
  if (decoder.bytesWritten < consumed) throw malformed(coding, 'more bytes follow its end');
}

function decoderOf(coding: Coding, [first = 0]: Uint8Array): Decoder {
  if (coding === 'gzip') return createGunzip();
  if (coding === 'br') return createBrotliDecompress();
  // The standard means zlib's format (RFC 9110, 8.4.1.2), whose first byte ends in 8. Some senders send raw deflate, whose never does.
  return (first & 0x0f) === 8 ? createInflate() : createInflateRaw();
}

function malformed(coding: Coding, reason: string): AppError {
  return new AppError('invalid', `the body is not ${coding}, as its Content-Encoding says: ${reason}`);
}
