// The definition files that a verb is given, or those that the environment names.

import type { Environment } from '../config/config.ts';
import { type DefinitionFiles, readDefinitionFiles } from '../definitions/files/definition-files.ts';
import { ExitError, FAILED } from './exit-error.ts';
import { printable } from './output/printable.ts';

/**
 * Fails with every fault, a line each. A path without any file is one: applying nothing at all would delete everything
 * that was applied before, and nobody means that by a wrong path.
 */
export async function readDefinitionInput(
  argument: string | undefined,
  environment: Environment,
): Promise<DefinitionFiles & { path: string }> {
  const path = argument ?? environment['SLUICE_CONFIG'] ?? 'config';
  const files = await readDefinitionFiles(path, environment);
  if (files.faults.length > 0) throw new ExitError(files.faults.map(printable).join('\n'), FAILED);
  return { ...files, path };
}
