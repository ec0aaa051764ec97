// A file with one workflow definition, and its faults as lines that name the file and the place in it.

import type { Fault } from '../core/fault.ts';
import { readDefinitionFiles } from '../definitions/definition-files.ts';
import { ExitError, FAILED } from './exit-error.ts';
import { printable } from './printable.ts';
import type { CliContext } from './program.ts';

export async function readWorkflowFile(file: string, { environment }: CliContext): Promise<unknown> {
  return await readDefinitionFiles(file, environment).catch((error: unknown) => {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new ExitError(code === undefined ? message.trim() : `${file} cannot be read (${code})`, FAILED);
  });
}

export function faultLines(file: string, faults: readonly Fault[]): string {
  return faults.map(({ path, message }) => printable([file, path, message].filter((part) => part !== '').join(': '))).join('\n');
}
