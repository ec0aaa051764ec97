// Reads a file with one workflow definition. Faults are lines with the file, the line and the path in it.

import type { Fault } from '../core/fault.ts';
import { readYamlFile } from '../definitions/yaml/yaml-file.ts';
import type { CliContext } from './context.ts';
import { ExitError, FAILED } from './exit-error.ts';
import { printable } from './output/printable.ts';

export interface WorkflowFile {
  definition: unknown;
  faultLines(faults: readonly Fault[]): string;
}

export async function readWorkflowFile(path: string, { environment }: CliContext): Promise<WorkflowFile> {
  const { value, faults, locate } = await readYamlFile(path, environment);
  if (faults.length > 0) throw new ExitError(faults.map(printable).join('\n'), FAILED);
  if (typeof value !== 'object' || Array.isArray(value))
    throw new ExitError(`${path} must be a mapping with version, inputs, steps and outputs`, FAILED);
  return { definition: value ?? {}, faultLines: (found) => found.map((fault) => printable(locate(fault))).join('\n') };
}
