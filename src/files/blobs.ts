// Blobs: received files, stored under the hash of what is in them. A blob is on the disk, name and all, before the
// commit that names it; one that no run names in the end is swept.

import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { createBlobTurns } from './blob-turns.ts';
import { fileFault } from './file-fault.ts';
import { readVerified } from './verified-read.ts';

export interface StoredBlob {
  sha256: string;
  size: number;
}

/** Writes what comes in. Rejects as the stream does, or with `unavailable`; nothing is left behind then. */
export type WriteBlob = (content: AsyncIterable<Uint8Array>) => Promise<StoredBlob>;

/**
 * Files that become blobs together, or not at all: those of one form, and those that are to be looked at first. They
 * are synced together too, so that many small files cost little more than one.
 */
export interface StagedBlobs {
  /** Resolves when the content is in a file that has no name yet, and may still be lost. */
  write: WriteBlob;
  /** Where one of them lies until it is published. */
  pathOf(sha256: string): string;
  /** Resolves when contents and names are on the disk. */
  publish(): Promise<void>;
  /** Without effect once published. */
  discard(): Promise<void>;
}

export interface BlobStore {
  /** Resolves when content and name are on the disk. */
  write: WriteBlob;
  stage(): StagedBlobs;
  /** Ends with AlteredFile, and before the last byte of a file of this `size`, when its bytes are not those of the hash. */
  read(sha256: string, size?: number): Readable;
  /** Makes blobs as young as if they came in now, for a run that is about to name them. One that is gone stays gone. */
  renew(hashes: readonly string[], now: number): Promise<void>;
  /**
   * Removes blobs older than the age that `findOrphans` names; returns the bytes of those that it does not. What comes in
   * again, or is renewed, at whatever moment of it, stays.
   */
  sweep(findOrphans: (hashes: string[]) => Promise<string[]>, options: SweepOptions): Promise<number>;
}

export interface SweepOptions {
  minAgeMs: number;
  now: number;
  /** Ends the sweep where it is. */
  signal: AbortSignal;
}

const INCOMING = 'incoming';
const SHARD = /^[0-9a-f]{2}$/;
/** Files and folders that are synced at the same time: as many as Node has threads for it. */
const SYNCED_AT_ONCE = 4;
/** Blobs that a sweep looks at between two looks at its signal. */
const GROUP = 256;

export async function openBlobStore(directory: string): Promise<BlobStore> {
  const incoming = join(directory, INCOMING);
  // What a crash left half received belongs to nobody.
  await rm(incoming, { recursive: true, force: true });
  await mkdir(incoming, { recursive: true, mode: 0o700 });

  const shardOf = (sha256: string): string => join(directory, sha256.slice(0, 2));
  const pathOf = (sha256: string): string => join(shardOf(sha256), sha256);

  const turns = createBlobTurns();
  /** Folders whose own names are known to be on the disk: one that is there may have been made by who has not synced it yet. */
  const syncedFolders = new Set<string>();

  /** `received`: files by hash. */
  async function keep(received: ReadonlyMap<string, string>): Promise<void> {
    await syncAll(received.values(), (file) => file.datasync());
    const folders = new Set<string>();
    for (const [sha256, temporary] of received) {
      const folder = shardOf(sha256);
      const isNewFolder = (await mkdir(folder, { recursive: true, mode: 0o700 })) !== undefined;
      if (isNewFolder || !syncedFolders.has(folder)) folders.add(directory);
      await turns.keep(sha256, () => rename(temporary, pathOf(sha256)));
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
      for (const sha256 of hashes) await turns.keep(sha256, () => utimes(pathOf(sha256), now / 1000, now / 1000).catch(unlessGone));
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
            await turns.remove(hash, async () => {
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

/** All blobs, so many at a time, for no question to the database is larger than that. */
async function* hashesInGroups(directory: string): AsyncGenerator<string[]> {
  let group: string[] = [];
  for (const shard of await readdir(directory)) {
    if (!SHARD.test(shard)) continue;
    group.push(...(await readdir(join(directory, shard))));
    if (group.length < GROUP) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

/** Rejects with the first fault, once nothing is open any more. */
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
  const results = await Promise.allSettled(Array.from({ length: SYNCED_AT_ONCE }, syncNext));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

function unlessGone(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
