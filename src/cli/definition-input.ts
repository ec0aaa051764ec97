// Reads the definition files that a verb's arguments or the environment name.

import type { Environment } from '../config/config.ts';
import { type DefinitionFiles, readDefinitionFiles } from '../definitions/files/definition-files.ts';
import { ExitError, FAILED } from './exit-error.ts';
import { printable } from './output/printable.ts';

/**
 * Rejects with every fault, one per line. A path without files is a fault: applying nothing would delete all that was
 * applied before.
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
