// The files of blobs on disk: temporary ones while they are received, and published ones in folders by the first two digits
// of their hash.

import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { createBlobLocks } from './blob-locks.ts';
import { fileFault } from './file-fault.ts';

export interface ReceivedFile {
  sha256: string;
  size: number;
  /** Path of the temporary file. */
  temporary: string;
}

const SHARD = /^[0-9a-f]{2}$/;
/** Files and folders synced concurrently: as many as Node has threads for it. */
const MAX_CONCURRENT_SYNCS = 4;
/** Bounds the size of a query to the database. */
const GROUP_SIZE = 256;

export class BlobFiles {
  readonly #directory: string;
  readonly #incoming: string;
  readonly #locks = createBlobLocks();
  /** Folders whose own names are durable. An existing folder may have been created by a request that has not synced it yet. */
  readonly #syncedFolders = new Set<string>();

  constructor(directory: string, incoming: string) {
    this.#directory = directory;
    this.#incoming = incoming;
  }

  pathOf(sha256: string): string {
    return join(this.#shardOf(sha256), sha256);
  }

  /** Writes a stream to a temporary file. Rejects without leaving it behind. */
  async receive(content: AsyncIterable<Uint8Array>): Promise<ReceivedFile> {
    const temporary = join(this.#incoming, randomBytes(12).toString('hex'));
    const hash = createHash('sha256');
    let size = 0;
    try {
      const file = await open(temporary, 'wx', 0o600);
      try {
        for await (const chunk of content) {
          hash.update(chunk);
          size += chunk.byteLength;
          // Unlike `write`, which may write only a part, for example just before the disk is full.
          await file.writeFile(chunk);
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

  /** Syncs temporary files, given by hash, renames them to their paths and syncs the names. */
  async publish(received: ReadonlyMap<string, string>): Promise<void> {
    try {
      await syncAll(received.values(), (file) => file.datasync());
      const folders = await this.#rename(received);
      await syncAll(folders.values(), (folder) => folder.sync());
      for (const folder of folders) this.#syncedFolders.add(folder);
    } catch (error) {
      throw fileFault(error);
    }
  }

  /** Sets the time of files to `now`. Ignores missing ones. */
  async renew(hashes: readonly string[], now: number): Promise<void> {
    for (const sha256 of hashes) {
      await this.#locks.keep(sha256, () => utimes(this.pathOf(sha256), now / 1000, now / 1000).catch(ignoreMissing));
    }
  }

  async sizeOf(sha256: string): Promise<number> {
    return (await stat(this.pathOf(sha256))).size;
  }

  /** Removes a file that is not newer than `time`, unless it is being stored or renewed. */
  async removeOlderThan(sha256: string, time: number): Promise<void> {
    await this.#locks.remove(sha256, async () => {
      const path = this.pathOf(sha256);
      if ((await stat(path)).mtimeMs <= time) await rm(path, { force: true });
    });
  }

  /** Lists the hashes of all published files. */
  async *listInGroups(): AsyncGenerator<string[]> {
    let group: string[] = [];
    for (const shard of await readdir(this.#directory)) {
      if (!SHARD.test(shard)) continue;
      group.push(...(await readdir(join(this.#directory, shard))));
      if (group.length < GROUP_SIZE) continue;
      yield group;
      group = [];
    }
    if (group.length > 0) yield group;
  }

  /** Returns the folders whose names have changed. */
  async #rename(received: ReadonlyMap<string, string>): Promise<Set<string>> {
    const folders = new Set<string>();
    for (const [sha256, temporary] of received) {
      const folder = this.#shardOf(sha256);
      const isNewFolder = (await mkdir(folder, { recursive: true, mode: 0o700 })) !== undefined;
      if (isNewFolder || !this.#syncedFolders.has(folder)) folders.add(this.#directory);
      await this.#locks.keep(sha256, () => rename(temporary, this.pathOf(sha256)));
      folders.add(folder);
    }
    return folders;
  }

  #shardOf(sha256: string): string {
    return join(this.#directory, sha256.slice(0, 2));
  }
}

/** Rejects with the first error, after all files are closed. */
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
