// Describes an error for the user at the terminal.

import { RefusedError, UnreachableError } from '../client/client-error.ts';
import { printable } from './output/printable.ts';

export function describeError(error: unknown): string {
  if (error instanceof UnreachableError) return printable(error.message);
  if (!(error instanceof RefusedError)) return (error as Error).message;
  const { status, code, message } = error;
  const advice = status === 401 ? '; give it with --token' : '';
  return `${printable(message)}${advice} (${printable(code)})`;
}
