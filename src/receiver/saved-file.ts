// Saves received bytes to files. A write error is reported as a fault, and never stops the request.

import { open } from 'node:fs/promises';
import { join } from 'node:path';

export interface SavedFile {
  write(chunk: Buffer): Promise<void>;
  /** Resolves to the path, or null without a file, after reporting any fault. */
  close(): Promise<string | null>;
}

/** Opens a file with this name. `onFault` is called when the file is incomplete. */
export type SaveFile = (name: string, onFault: (fault: string) => void) => Promise<SavedFile>;

const NOT_SAVED: SavedFile = { write: async () => undefined, close: async () => null };

/** Saves nothing when the folder is null. Every file name begins with `prefix`; no file is ever overwritten. */
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

/** Keeps only characters of a sender's name that have no meaning in a path. */
function safeName(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9._-]+/g, '_').slice(-80);
}
