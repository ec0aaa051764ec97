// Blobs: received files, stored under the hash of what is in them. A blob is on the disk, name and all, before the
// commit that names it; one that no run names in the end is swept.

import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileFault } from './storage-fault.ts';

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
  read(sha256: string): Readable;
  /** Removes blobs older than the age that `findOrphans` names; returns the bytes of those that it does not. */
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

  const pathOf = (sha256: string): string => join(directory, sha256.slice(0, 2), sha256);

  /** `received`: files by hash. */
  async function keep(received: ReadonlyMap<string, string>): Promise<void> {
    await syncAll(received.values(), (file) => file.datasync());
    const folders = new Set<string>();
    for (const [sha256, temporary] of received) {
      const path = pathOf(sha256);
      const folder = dirname(path);
      const isNewFolder = (await mkdir(folder, { recursive: true, mode: 0o700 })) !== undefined;
      await rename(temporary, path);
      folders.add(folder);
      if (isNewFolder) folders.add(directory);
    }
    await syncAll(folders.values(), (folder) => folder.sync());
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

    read: (sha256) => createReadStream(pathOf(sha256)),

    async sweep(findOrphans, { minAgeMs, now, signal }) {
      let keptBytes = 0;
      for await (const hashes of hashesInGroups(directory)) {
        if (signal.aborted) break;
        const orphans = new Set(await findOrphans(hashes));
        for (const hash of hashes) {
          const path = pathOf(hash);
          const found = await stat(path);
          if (!orphans.has(hash)) keptBytes += found.size;
          else if (now - found.mtimeMs >= minAgeMs) await rm(path, { force: true });
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
