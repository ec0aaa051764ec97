// Reads a stored file and checks on the way out that it is still what was stored: its name is the hash of its bytes.

import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';

/** The bytes on the disk are not those that were stored. */
class AlteredFile extends Error {
  readonly code = 'FILE_ALTERED';

  constructor(sha256: string) {
    super(`the stored file ${sha256} was altered on the disk`);
  }
}

const PIECE_BYTES = 65_536;

/**
 * Ends with AlteredFile where the bytes are not those of the hash, and then before the last of them: whoever is told the
 * `size` beforehand never has all of a wrong file. Without a `size` only the end tells.
 */
export function readVerified(path: string, sha256: string, size?: number): Readable {
  return Readable.from(verifiedPieces(path, sha256, size), { objectMode: false });
}

async function* verifiedPieces(path: string, sha256: string, size: number | undefined): AsyncGenerator<Uint8Array> {
  const file = await open(path, 'r');
  try {
    if (size !== undefined && (await file.stat()).size !== size) throw new AlteredFile(sha256);
    const hash = createHash('sha256');
    let held: Uint8Array | null = null;
    for (let total = 0; ; ) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(PIECE_BYTES));
      if (bytesRead === 0) break;
      total += bytesRead;
      // It grows while it is read.
      if (size !== undefined && total > size) throw new AlteredFile(sha256);
      const piece = buffer.subarray(0, bytesRead);
      hash.update(piece);
      if (held !== null) yield held;
      held = piece;
    }
    if (hash.digest('hex') !== sha256) throw new AlteredFile(sha256);
    if (held !== null) yield held;
  } finally {
    await file.close();
  }
}
