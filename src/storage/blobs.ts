// Blobs: received files, stored under the hash of what is in them. A blob is on the disk, name and all, before the
// commit that names it; one that no run names in the end is swept.

import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileFault } from './storage-fault.ts';

export interface StoredBlob {
  sha256: string;
  size: number;
}

export interface BlobStore {
  /** Resolves when content and name are on the disk. Rejects as the stream does, or with `unavailable`; nothing is left behind then. */
  write(content: AsyncIterable<Uint8Array>): Promise<StoredBlob>;
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
/** Blobs that a sweep looks at between two looks at its signal. */
const GROUP = 256;

export async function openBlobStore(directory: string): Promise<BlobStore> {
  const incoming = join(directory, INCOMING);
  // What a crash left half received belongs to nobody.
  await rm(incoming, { recursive: true, force: true });
  await mkdir(incoming, { recursive: true, mode: 0o700 });

  const pathOf = (sha256: string): string => join(directory, sha256.slice(0, 2), sha256);

  async function keep(temporary: string, sha256: string): Promise<void> {
    const path = pathOf(sha256);
    const folder = dirname(path);
    const isNewFolder = (await mkdir(folder, { recursive: true, mode: 0o700 })) !== undefined;
    await rename(temporary, path);
    await syncDirectory(folder);
    if (isNewFolder) await syncDirectory(directory);
  }

  return {
    async write(content) {
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
          await file.datasync();
        } finally {
          await file.close();
        }
        const sha256 = hash.digest('hex');
        await keep(temporary, sha256);
        return { sha256, size };
      } catch (error) {
        await rm(temporary, { force: true });
        throw fileFault(error);
      }
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

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
