// Summarizes a stream of bytes: their number, SHA-256, and a bounded number of the first bytes.

import { createHash } from 'node:crypto';

/** Enough to find the size of an image, even after a camera's metadata. */
export const HEAD_BYTES = 64 * 1024;

export interface ByteSummary {
  add(chunk: Buffer): void;
  readonly size: number;
  /** Lower-case hex; may be called once, at the end. */
  sha256(): string;
  /** The first `keptBytes` bytes. */
  head(): Buffer;
}

export function createByteSummary(keptBytes: number): ByteSummary {
  const hash = createHash('sha256');
  const kept: Buffer[] = [];
  let remaining = keptBytes;
  let size = 0;
  return {
    add(chunk) {
      hash.update(chunk);
      size += chunk.length;
      if (remaining === 0) return;
      const piece = chunk.subarray(0, remaining);
      // A copy: the chunk may be a view that keeps a large block in memory.
      kept.push(Buffer.from(piece));
      remaining -= piece.length;
    },
    get size() {
      return size;
    },
    sha256: () => hash.digest('hex'),
    head: () => Buffer.concat(kept),
  };
}
