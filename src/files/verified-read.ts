// Reads a stored file: all of it, and verifies its bytes against their hash, which is its name; or a part of it.

import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';

/** The bytes on disk are not the stored ones. */
class AlteredFile extends Error {
  readonly code = 'FILE_ALTERED';

  constructor(sha256: string) {
    super(`the stored file ${sha256} was altered on the disk`);
  }
}

const CHUNK_BYTES = 65_536;

/**
 * Fails with AlteredFile if the bytes do not match the hash. The last chunk is withheld until the hash is verified, so
 * a reader that knows the `size` never accepts an altered file. Without a `size`, only the end of the stream fails.
 */
export function readVerified(path: string, sha256: string, size?: number): Readable {
  return Readable.from(verifiedChunks(path, sha256, size), { objectMode: false });
}

/** Bytes of a blob of this size, from `from` to before `end`. */
export interface BlobRange {
  size: number;
  from: number;
  end: number;
}

/** Fails with AlteredFile if the file has not the size. Its bytes are not verified. */
export async function* readRange(path: string, sha256: string, { size, from, end }: BlobRange): AsyncGenerator<Uint8Array> {
  const file = await open(path, 'r');
  try {
    if ((await file.stat()).size !== size) throw new AlteredFile(sha256);
    for (let at = from; at < end; ) {
      const length = Math.min(CHUNK_BYTES, end - at);
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(length), 0, length, at);
      if (bytesRead === 0) throw new AlteredFile(sha256);
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

async function* verifiedChunks(path: string, sha256: string, size: number | undefined): AsyncGenerator<Uint8Array> {
  const file = await open(path, 'r');
  try {
    if (size !== undefined && (await file.stat()).size !== size) throw new AlteredFile(sha256);
    const hash = createHash('sha256');
    let lastChunk: Uint8Array | null = null;
    for (let total = 0; ; ) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(CHUNK_BYTES));
      if (bytesRead === 0) break;
      total += bytesRead;
      // The file grew while it was read.
      if (size !== undefined && total > size) throw new AlteredFile(sha256);
      const chunk = buffer.subarray(0, bytesRead);
      hash.update(chunk);
      if (lastChunk !== null) yield lastChunk;
      lastChunk = chunk;
    }
    if (hash.digest('hex') !== sha256) throw new AlteredFile(sha256);
    if (lastChunk !== null) yield lastChunk;
  } finally {
    await file.close();
  }
}
