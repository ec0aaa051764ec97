// Classifies file system errors by how the server must respond.

import { AppError } from '../errors.ts';

/** Returns `unavailable` for a full disk or too many open files, which pass. Returns any other error itself. */
export function fileFault(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') return diskFull(error);
  if (code === 'EMFILE' || code === 'ENFILE')
    return new AppError('unavailable', 'the server has too many files open; try again', { retryAfterSeconds: 1, cause: error });
  return error;
}

export function diskFull(cause: unknown): AppError {
  return new AppError('unavailable', 'the disk is full; nothing was stored', { retryAfterSeconds: 30, cause });
}
