// Recognises files of the request. A look-alike in a JSON body is plain data: its hash could name any blob.

import type { FileHandle, Request } from '../../core/run/request.ts';
import type { StepContext } from '../step-type.ts';

/** Returns the received file that the value is a handle of, or null. */
export function receivedFile(value: unknown, { roots }: Pick<StepContext, 'roots'>): FileHandle | null {
  if (typeof value !== 'object' || value === null) return null;
  const { sha256 } = value as Partial<FileHandle>;
  const files = (roots['request'] as Partial<Request> | undefined)?.files ?? [];
  return files.find((file) => file.sha256 === sha256) ?? null;
}
