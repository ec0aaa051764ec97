// A fault found in a definition: where it is, what is wrong there and what would be right.

import { AppError, type ErrorCode } from '../errors.ts';

export interface Fault {
  /** Place inside the document, as `steps[2].values.x`; the empty string is the document itself. */
  path: string;
  message: string;
}

function faultsText(faults: readonly Fault[]): string {
  return faults.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
}

/** Throws an AppError that names every fault, or returns when there is none. */
export function refuseFaults(what: string, faults: readonly Fault[], code: ErrorCode = 'invalid'): void {
  if (faults.length > 0) throw new AppError(code, `${what} is not valid: ${faultsText(faults)}`, { details: { faults } });
}

/** The same faults, seen from the document that holds the faulty one at `prefix`. */
export function nestFaults(prefix: string, faults: readonly Fault[]): Fault[] {
  return faults.map(({ path, message }) => ({ path: joinPath(prefix, path), message }));
}

function joinPath(prefix: string, path: string): string {
  if (path === '') return prefix;
  return path.startsWith('[') ? `${prefix}${path}` : `${prefix}.${path}`;
}
