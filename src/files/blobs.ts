// Blobs: received files, stored under the hash of their content. A blob is durable before the commit that refers to it. A
// sweep removes blobs that no run refers to.

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { BlobFiles, type ReceivedFile } from './blob-files.ts';
import { type BlobRange, readRange, readVerified } from './verified-read.ts';

export interface StoredBlob {
  /** In lower-case hexadecimal. */
  sha256: string;
  /** In bytes. */
  size: number;
}

/** Stores a stream. Rejects with the stream's error, or with `unavailable` if the disk is full, and leaves no file behind. */
export type WriteBlob = (content: AsyncIterable<Uint8Array>) => Promise<StoredBlob>;

/**
 * Files that become blobs together or not at all: those of one form, and those that are validated first. They are synced
 * together, so that many small files cost little more than one.
 */
export interface StagedBlobs {
  /** Resolves once the content is in a temporary file, which is not durable yet. */
  readonly write: WriteBlob;
  /** Returns the path of a temporary file. Throws for a hash that was not written here. */
  readonly pathOf: (sha256: string) => string;
  /** Resolves once contents and names are durable. */
  publish(): Promise<void>;
  /** Removes the temporary files. Does nothing after `publish`. */
  discard(): Promise<void>;
}

export interface BlobStore {
  /** Resolves once content and name are durable. */
  readonly write: WriteBlob;
  stage(): StagedBlobs;
  /** Fails with AlteredFile if the bytes do not match the hash; with a `size`, before the last byte. */
  readonly read: (sha256: string, size?: number) => Readable;
  /** Reads a part, which is not compared with the hash. Fails with AlteredFile if the blob has not the `size`. */
  readonly readRange: (sha256: string, range: BlobRange) => AsyncIterable<Uint8Array>;
  /** Sets the age of blobs to zero, for a run that is about to refer to them. Ignores missing blobs. `now` is wall time in ms. */
  renew(hashes: readonly string[], now: number): Promise<void>;
  /**
   * Removes blobs that `findOrphans` returns and that are older than `minAgeMs`. Resolves to the bytes of all others. A blob
   * that is received again or renewed during the sweep is kept.
   */
  sweep(findOrphans: (hashes: string[]) => Promise<string[]>, options: SweepOptions): Promise<number>;
  /** The bytes that the last sweep kept. Null before the first one. */
  keptBytes(): number | null;
}

export interface SweepOptions {
  minAgeMs: number;
  /** Wall time in ms. */
  now: number;
  /** Stops the sweep early. */
  signal: AbortSignal;
}

const INCOMING = 'incoming';

/**
 * Opens the blobs of a directory, which it creates if needed. Each owner receives files in a folder of its own. An owner that
 * is alone removes those of earlier ones, with files that a crash left half received.
 */
export async function openBlobStore(directory: string, { owner, isAlone }: { owner: number; isAlone: boolean }): Promise<BlobStore> {
  if (isAlone) await rm(join(directory, INCOMING), { recursive: true, force: true });
  const incoming = join(directory, INCOMING, String(owner));
  await mkdir(incoming, { recursive: true, mode: 0o700 });
  const files = new BlobFiles(directory, incoming);
  let keptBytes: number | null = null;
  return {
    async write(content) {
      const staged = new Staging(files);
      const blob = await staged.write(content);
      try {
        await staged.publish();
        return blob;
      } catch (error) {
        await staged.discard();
        throw error;
      }
    },
    stage: () => new Staging(files),
    read: (sha256, size) => readVerified(files.pathOf(sha256), sha256, size),
    readRange: (sha256, range) => readRange(files.pathOf(sha256), sha256, range),
    renew: (hashes, now) => files.renew(hashes, now),
    async sweep(findOrphans, options) {
      keptBytes = await sweepBlobs(files, findOrphans, options);
      return keptBytes;
    },
    keptBytes: () => keptBytes,
  };
}

class Staging implements StagedBlobs {
  readonly #files: BlobFiles;
  /** Paths of temporary files by hash. */
  readonly #received = new Map<string, string>();

  constructor(files: BlobFiles) {
    this.#files = files;
  }

  // `write` and `pathOf` are passed on without their object.
  readonly write: WriteBlob = async (content) => {
    const { sha256, size, temporary }: ReceivedFile = await this.#files.receive(content);
    if (this.#received.has(sha256)) await rm(temporary, { force: true });
    else this.#received.set(sha256, temporary);
    return { sha256, size };
  };

  readonly pathOf = (sha256: string): string => {
    const temporary = this.#received.get(sha256);
    if (temporary === undefined) throw new Error(`no staged file has the hash ${sha256}`);
    return temporary;
  };

  async publish(): Promise<void> {
    if (this.#received.size === 0) return;
    await this.#files.publish(this.#received);
    this.#received.clear();
  }

  async discard(): Promise<void> {
    for (const temporary of this.#received.values()) await rm(temporary, { force: true });
    this.#received.clear();
  }
}

async function sweepBlobs(
  files: BlobFiles,
  findOrphans: (hashes: string[]) => Promise<string[]>,
  { minAgeMs, now, signal }: SweepOptions,
): Promise<number> {
  let keptBytes = 0;
  for await (const hashes of files.listInGroups()) {
    if (signal.aborted) break;
    const orphans = new Set(await findOrphans(hashes));
    for (const hash of hashes) {
      if (orphans.has(hash)) await files.removeOlderThan(hash, now - minAgeMs);
      else keptBytes += await files.sizeOf(hash);
    }
  }
  return keptBytes;
}
