// What can go wrong with files, sorted by what the server must do about it.

import { AppError } from '../errors.ts';

/** Sorts an error of the file system: a full disk or too many open files pass, all else is for the operator. */
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
