// Reads or creates what the data directory contains beside the database: admin token, secret key, files. Watches its disk.

import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { type BlobStore, openBlobStore } from '../files/blobs.ts';
import { readOrMakeAdminToken, readOrMakeSecretKey } from '../files/data-directory.ts';
import { type DiskFloor, watchDiskFloor } from '../files/disk-floor.ts';
import { newToken } from '../ids.ts';
import type { StorageNode } from '../storage/storage.ts';
import type { Cleanups } from './cleanups.ts';

export interface AdminToken {
  token: string;
  /** Null when a setting gives the token. */
  path: string | null;
  isNew: boolean;
}

export interface DataDirectory {
  adminToken: AdminToken;
  secretKey: string;
  blobs: BlobStore;
}

export async function openDataDirectory(
  dataDir: string,
  node: StorageNode,
  config: Pick<Config, 'adminToken' | 'secretKey'>,
): Promise<DataDirectory> {
  const [adminToken, secretKey, blobs] = await Promise.all([
    config.adminToken === null ? readOrMakeAdminToken(dataDir, newToken) : { token: config.adminToken, path: null, isNew: false },
    config.secretKey ?? readOrMakeSecretKey(dataDir, newToken),
    openBlobStore(join(dataDir, 'blobs'), node),
  ]);
  return { adminToken, secretKey, blobs };
}

export async function startDiskFloor(dataDir: string, minFreeBytes: number, cleanups: Cleanups): Promise<DiskFloor> {
  const disk = await watchDiskFloor(dataDir, minFreeBytes);
  cleanups.add(() => disk.close());
  return disk;
}
