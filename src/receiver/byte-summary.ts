// What is kept of bytes that go by: how many, their SHA-256, and as many of the first as are asked for.

import { createHash } from 'node:crypto';

/** Enough for the size of an image, even behind the metadata that cameras write. */
export const HEAD_BYTES = 64 * 1024;

export interface ByteSummary {
  add(chunk: Buffer): void;
  readonly size: number;
  /** Lower-case hex; asked for once, at the end. */
  sha256(): string;
  /** The first bytes: all of them, unless there were more than are kept. */
  head(): Buffer;
}

export function createByteSummary(keptBytes: number): ByteSummary {
  const hash = createHash('sha256');
  const kept: Buffer[] = [];
  let room = keptBytes;
  let size = 0;
  return {
    add(chunk) {
      hash.update(chunk);
      size += chunk.length;
      if (room === 0) return;
      const piece = chunk.subarray(0, room);
      // A copy: the chunk may be a small window into a large block.
      kept.push(Buffer.from(piece));
      room -= piece.length;
    },
    get size() {
      return size;
    },
    sha256: () => hash.digest('hex'),
    head: () => Buffer.concat(kept),
  };
}
