// Performs effects of steps on the files of their run in this process: loads images and reads files.

import { buffer } from 'node:stream/consumers';
import { ImageFault } from '../core/uql/image.ts';
import { createSerialQueue } from '../core/values/serial-queue.ts';
import type { LocalEffects } from '../engine/worker.ts';
import type { BlobStore } from '../files/blobs.ts';
import type { MemoryAccount } from '../memory-budget.ts';

/** The image library is imported with the first image: few workflows use images. */
export function createLoadImages(blobs: BlobStore, memory: MemoryAccount): LocalEffects['loadImages'] {
  const serially = createSerialQueue();
  const readFile = createReadFile(blobs);
  return async (wants, files) => {
    const { createImageLoader } = await import('../images/image-loader.ts');
    const readBlob = async (sha256: string): Promise<Uint8Array> => {
      const result = await readFile({ kind: 'read', sha256 }, files);
      if (result.kind === 'not_read') throw new ImageFault(`the image cannot be read: ${result.error}`);
      return result.bytes;
    };
    return await createImageLoader({ readBlob, serially, memory }).load(wants);
  };
}

export function createReadFile(blobs: BlobStore): LocalEffects['readFile'] {
  return async ({ sha256 }, files) => {
    const file = files.find((known) => known.sha256 === sha256);
    if (file === undefined) return { kind: 'not_read', error: 'it is not a file of this request' };
    try {
      return { kind: 'read', bytes: await buffer(blobs.read(sha256, file.size)) };
    } catch (error) {
      const { code = 'damaged' } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return { kind: 'not_read', error: 'it is no longer stored' };
      return {
        kind: 'not_read',
        error: code === 'FILE_ALTERED' ? 'it was altered on the disk (FILE_ALTERED)' : `it cannot be read (${code})`,
      };
    }
  };
}
