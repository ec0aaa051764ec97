// Writes what arrives to files as it comes. A file that cannot be written is a fault to tell of, never a failure.

import { open } from 'node:fs/promises';
import { join } from 'node:path';

export interface SavedFile {
  write(chunk: Buffer): Promise<void>;
  /** The path, or null where there is none; a fault has been told by then. */
  close(): Promise<string | null>;
}

/** Opens a file of this name to write to; `onFault` hears why it is not whole. */
export type SaveFile = (name: string, onFault: (fault: string) => void) => Promise<SavedFile>;

const NOT_SAVED: SavedFile = { write: async () => undefined, close: async () => null };

/** Saves nothing where the folder is null. Every name begins with `prefix`; no file is ever overwritten. */
export function createSaver(folder: string | null, prefix: string): SaveFile {
  if (folder === null) return async () => NOT_SAVED;
  return async (name, onFault) => {
    const path = join(folder, `${prefix}-${safeName(name)}`);
    let fault: NodeJS.ErrnoException | null = null;
    const keep = (error: unknown): void => {
      fault ??= error as NodeJS.ErrnoException;
    };
    const file = await open(path, 'wx').catch(keep);
    return {
      async write(chunk) {
        if (fault === null) await file?.appendFile(chunk).catch(keep);
      },
      async close() {
        await file?.close().catch(keep);
        if (fault !== null) onFault(`${path} is not whole: ${fault.code ?? fault.message}`);
        return file === undefined ? null : path;
      },
    };
  };
}

/** Of a name that a sender chose, only what means nothing to a file system. */
function safeName(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9._-]+/g, '_').slice(-80);
}
