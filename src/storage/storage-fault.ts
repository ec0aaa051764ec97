// Classifies errors of SQLite by how the server must respond, and carries them across threads.

import { AppError } from '../errors.ts';
import { diskFull } from '../files/file-fault.ts';

/** The database cannot be trusted or reached any more. The server must accept nothing further and stop. */
export class FatalStorageError extends Error {}

/**
 * Returns `unavailable` for a locked or full database, a fatal error for an I/O error or damage, else the error itself.
 * Every I/O error is fatal, because the page cache cannot be trusted after a failed fsync.
 */
export function storageFault(error: unknown): Error {
  const code = (error as { code?: unknown }).code;
  if (error instanceof AppError || typeof code !== 'string' || !code.startsWith('SQLITE_')) return error as Error;
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) {
    return new AppError('unavailable', 'the database is locked by another process; try again', { retryAfterSeconds: 1, cause: error });
  }
  // On a full disk, only the growth of the WAL index is reported as an I/O error. That file is not synced.
  if (code === 'SQLITE_FULL' || code === 'SQLITE_IOERR_SHMSIZE') return diskFull(error);
  if (/^SQLITE_(?:IOERR|CORRUPT|NOTADB|READONLY|CANTOPEN)/.test(code)) {
    return new FatalStorageError(
      `the database failed (${code}: ${(error as Error).message}); the server stops, because further reads and writes cannot be trusted`,
      { cause: error },
    );
  }
  return error as Error;
}

/** A fault on its way between threads. */
export type FaultMessage =
  | { kind: 'app'; code: AppError['code']; message: string; details: Record<string, unknown>; retryAfterSeconds: number | undefined }
  | { kind: 'fatal'; message: string }
  | { kind: 'bug'; message: string };

export function packFault(error: unknown): FaultMessage {
  const fault = storageFault(error);
  if (fault instanceof AppError) {
    const { code, message, details, retryAfterSeconds } = fault;
    return { kind: 'app', code, message, details, retryAfterSeconds };
  }
  return fault instanceof FatalStorageError
    ? { kind: 'fatal', message: fault.message }
    : { kind: 'bug', message: fault.stack ?? String(fault) };
}

export function unpackFault(fault: FaultMessage): Error {
  if (fault.kind === 'fatal') return new FatalStorageError(fault.message);
  if (fault.kind === 'bug') return new Error(fault.message);
  const { code, message, details, retryAfterSeconds } = fault;
  return new AppError(code, message, { details, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) });
}
