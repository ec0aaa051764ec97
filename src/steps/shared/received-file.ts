// Files that came with the request. A value that only looks like one, as a JSON body may, is plain data: its hash would
// name whatever blob the caller likes.

import type { FileHandle, Request } from '../../core/run/request.ts';
import type { StepContext } from '../step-type.ts';

/** The received file that the value stands for, or null. */
export function receivedFile(value: unknown, { roots }: Pick<StepContext, 'roots'>): FileHandle | null {
  if (typeof value !== 'object' || value === null) return null;
  const { sha256 } = value as Partial<FileHandle>;
  const files = (roots['request'] as Partial<Request> | undefined)?.files ?? [];
  return files.find((file) => file.sha256 === sha256) ?? null;
}
