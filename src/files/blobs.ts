// Blobs: received files, stored under the hash of their content. A blob is durable before the commit that refers to it;
// blobs that no run refers to are swept.

import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { createBlobLocks } from './blob-locks.ts';
import { fileFault } from './file-fault.ts';
import { readVerified } from './verified-read.ts';

export interface StoredBlob {
  sha256: string;
  size: number;
}

/** Stores a stream. Rejects with the stream's error or with `unavailable`, and then leaves nothing behind. */
export type WriteBlob = (content: AsyncIterable<Uint8Array>) => Promise<StoredBlob>;

/**
 * Files that become blobs all together or not at all: those of one form, and those to be validated first. They are synced
 * together, so that many small files cost little more than one.
 */
export interface StagedBlobs {
  /** Resolves when the content is in a temporary file, which may still be lost. */
  write: WriteBlob;
  /** Returns the path of a file that is not published yet. */
  pathOf(sha256: string): string;
  /** Resolves when contents and names are durable. */
  publish(): Promise<void>;
  /** Does nothing after `publish`. */
  discard(): Promise<void>;
}

export interface BlobStore {
  /** Resolves when content and name are durable. */
  write: WriteBlob;
  stage(): StagedBlobs;
  /** Fails with AlteredFile when the bytes do not match the hash; with a `size`, before the last byte. */
  read(sha256: string, size?: number): Readable;
  /** Sets the age of blobs to zero, for a run that is about to refer to them. Ignores missing blobs. */
  renew(hashes: readonly string[], now: number): Promise<void>;
  /**
   * Removes blobs that `findOrphans` returns and that are older than `minAgeMs`; resolves to the bytes of all others. A blob
   * that is received again or renewed during the sweep is kept.
   */
  sweep(findOrphans: (hashes: string[]) => Promise<string[]>, options: SweepOptions): Promise<number>;
}

export interface SweepOptions {
  minAgeMs: number;
  now: number;
  /** Stops the sweep early. */
  signal: AbortSignal;
}

const INCOMING = 'incoming';
const SHARD = /^[0-9a-f]{2}$/;
/** Files and folders synced concurrently: as many as Node has threads for it. */
const MAX_CONCURRENT_SYNCS = 4;
/** Blobs that a sweep checks between two checks of its signal. */
const GROUP_SIZE = 256;

export async function openBlobStore(directory: string): Promise<BlobStore> {
  const incoming = join(directory, INCOMING);
  // Files that a crash left half received.
  await rm(incoming, { recursive: true, force: true });
  await mkdir(incoming, { recursive: true, mode: 0o700 });

  const shardOf = (sha256: string): string => join(directory, sha256.slice(0, 2));
  const pathOf = (sha256: string): string => join(shardOf(sha256), sha256);

  const locks = createBlobLocks();
  /** Folders whose own names are durable. An existing folder may have been created by a request that has not synced it yet. */
  const syncedFolders = new Set<string>();

  /** Moves temporary files, by hash, to their names and syncs them. */
  async function keep(received: ReadonlyMap<string, string>): Promise<void> {
    await syncAll(received.values(), (file) => file.datasync());
    const folders = new Set<string>();
    for (const [sha256, temporary] of received) {
      const folder = shardOf(sha256);
      const isNewFolder = (await mkdir(folder, { recursive: true, mode: 0o700 })) !== undefined;
      if (isNewFolder || !syncedFolders.has(folder)) folders.add(directory);
      await locks.keep(sha256, () => rename(temporary, pathOf(sha256)));
      folders.add(folder);
    }
    await syncAll(folders.values(), (folder) => folder.sync());
    for (const folder of folders) syncedFolders.add(folder);
  }

  async function receive(content: AsyncIterable<Uint8Array>): Promise<StoredBlob & { temporary: string }> {
    const temporary = join(incoming, randomBytes(12).toString('hex'));
    const hash = createHash('sha256');
    let size = 0;
    try {
      const file = await open(temporary, 'wx', 0o600);
      try {
        for await (const chunk of content) {
          hash.update(chunk);
          size += chunk.byteLength;
          await file.write(chunk);
        }
      } finally {
        await file.close();
      }
      return { sha256: hash.digest('hex'), size, temporary };
    } catch (error) {
      await rm(temporary, { force: true });
      throw fileFault(error);
    }
  }

  return {
    async write(content) {
      const { sha256, size, temporary } = await receive(content);
      try {
        await keep(new Map([[sha256, temporary]]));
        return { sha256, size };
      } catch (error) {
        await rm(temporary, { force: true });
        throw fileFault(error);
      }
    },

    stage() {
      const received = new Map<string, string>();
      const discard = async (): Promise<void> => {
        for (const temporary of received.values()) await rm(temporary, { force: true });
        received.clear();
      };
      return {
        async write(content) {
          const { sha256, size, temporary } = await receive(content);
          if (received.has(sha256)) await rm(temporary, { force: true });
          else received.set(sha256, temporary);
          return { sha256, size };
        },
        pathOf(sha256) {
          const temporary = received.get(sha256);
          if (temporary === undefined) throw new Error(`no staged file has the hash ${sha256}`);
          return temporary;
        },
        async publish() {
          try {
            await keep(received);
            received.clear();
          } catch (error) {
            throw fileFault(error);
          }
        },
        discard,
      };
    },

    read: (sha256, size) => readVerified(pathOf(sha256), sha256, size),

    async renew(hashes, now) {
      for (const sha256 of hashes) await locks.keep(sha256, () => utimes(pathOf(sha256), now / 1000, now / 1000).catch(ignoreMissing));
    },

    async sweep(findOrphans, { minAgeMs, now, signal }) {
      let keptBytes = 0;
      for await (const hashes of hashesInGroups(directory)) {
        if (signal.aborted) break;
        const orphans = new Set(await findOrphans(hashes));
        for (const hash of hashes) {
          const path = pathOf(hash);
          if (!orphans.has(hash)) keptBytes += (await stat(path)).size;
          else {
            await locks.remove(hash, async () => {
              const { mtimeMs } = await stat(path);
              if (now - mtimeMs >= minAgeMs) await rm(path, { force: true });
            });
          }
        }
      }
      return keptBytes;
    },
  };
}

/** Lists all blobs in groups, which bounds the size of a query to the database. */
async function* hashesInGroups(directory: string): AsyncGenerator<string[]> {
  let group: string[] = [];
  for (const shard of await readdir(directory)) {
    if (!SHARD.test(shard)) continue;
    group.push(...(await readdir(join(directory, shard))));
    if (group.length < GROUP_SIZE) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

/** Rejects with the first error, once all files are closed. */
async function syncAll(paths: Iterator<string>, sync: (opened: FileHandle) => Promise<void>): Promise<void> {
  async function syncNext(): Promise<void> {
    for (let next = paths.next(); next.done !== true; next = paths.next()) {
      const opened = await open(next.value, 'r');
      try {
        await sync(opened);
      } finally {
        await opened.close();
      }
    }
  }
  const results = await Promise.allSettled(Array.from({ length: MAX_CONCURRENT_SYNCS }, syncNext));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
