// The body of a request: bytes in memory are sent as they are, files of the blob store are streamed.

import type { Hmac } from 'node:crypto';
import { Readable } from 'node:stream';
import { type BodyPart, isRequestPart } from '../../core/delivery/outbound.ts';
import { Refusal } from '../refusal.ts';

/** The stream fails with code ENOENT or FILE_ALTERED when the file is gone or altered. */
export type OpenBlob = (sha256: string, size: number) => Readable;

/** A fault of the disk and not of the receiver: another attempt may succeed. */
export class UnreadableBody extends Error {
  readonly code: string;

  constructor(code: string) {
    super('a file of the message cannot be read');
    this.code = code;
  }
}

/** Codes of faults that another attempt would not mend. */
const REFUSALS: Readonly<Record<string, string>> = {
  ENOENT: 'a file of the message is no longer stored',
  FILE_ALTERED: 'a file of the message was altered on the disk (FILE_ALTERED), so that it is not sent',
};

/** A larger body goes out in pieces, which shows that a slow receiver is reading. */
const PIECE_BYTES = 262_144;

export function byteLengthOf(parts: readonly BodyPart[]): number {
  let total = 0;
  for (const part of parts) total += part instanceof Uint8Array ? part.byteLength : part.size;
  return total;
}

/** The body in one piece, or null when it is too large for that or not in memory. */
export function wholeBody(parts: readonly BodyPart[]): Uint8Array | null {
  const [first] = parts;
  if (parts.length === 1 && first instanceof Uint8Array) return first.byteLength <= PIECE_BYTES ? first : null;
  const isSmall = parts.every((part) => part instanceof Uint8Array) && byteLengthOf(parts) <= PIECE_BYTES;
  return isSmall ? Buffer.concat(parts as readonly Uint8Array[]) : null;
}

/** The body in pieces; `onPiece` is called for each. Files are opened when they are read. */
export function streamBody(parts: readonly BodyPart[], openBlob: OpenBlob, onPiece: () => void): Readable {
  return Readable.from(pieces(parts, openBlob, onPiece));
}

async function* pieces(parts: readonly BodyPart[], openBlob: OpenBlob, onPiece: () => void): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    for await (const piece of part instanceof Uint8Array ? slices(part) : readBlob(part, openBlob)) {
      onPiece();
      yield piece;
    }
  }
}

function* slices(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
}

/** Throws as `readBlob` does. */
export async function updateWithBody(hmac: Hmac, parts: readonly BodyPart[] | null, openBlob: OpenBlob): Promise<void> {
  for (const part of parts ?? []) {
    if (part instanceof Uint8Array) hmac.update(part);
    else for await (const piece of readBlob(part, openBlob)) hmac.update(piece);
  }
}

/** Throws Refusal when the file is gone or altered, and UnreadableBody when it cannot be read. */
export async function* readBlob(part: Exclude<BodyPart, Uint8Array>, openBlob: OpenBlob): AsyncGenerator<Uint8Array> {
  if (isRequestPart(part)) throw new Error('the storage did not replace the body of a request by its bytes');
  const { sha256, size } = part;
  try {
    yield* openBlob(sha256, size) as AsyncIterable<Uint8Array>;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const refusal = REFUSALS[code ?? ''];
    throw refusal === undefined ? new UnreadableBody(code ?? 'EIO') : new Refusal(refusal);
  }
}
