// `sluice validate`: validates definition files without a server, and prints every fault with its file.

import type { Command } from 'commander';
import { parseDefinitions } from '../../definitions/definition-document.ts';
import type { DefinitionFiles } from '../../definitions/files/definition-files.ts';
import { builtinStepTypes } from '../../steps/builtin.ts';
import { createStepTypes } from '../../steps/registry.ts';
import type { CliContext } from '../context.ts';
import { readDefinitionInput } from '../definition-input.ts';
import { ExitError, FAILED } from '../exit-error.ts';
import { printLine } from '../output/output.ts';
import { printable } from '../output/printable.ts';
import { loadConfigFrom } from '../setting-sources.ts';

export function define(command: Command, { environment, io }: CliContext): void {
  command
    .argument('[path]', 'definition file, or a folder of definition files (default: SLUICE_CONFIG, else "config")')
    .action(async (argument: string | undefined) => {
      const input = await readDefinitionInput(argument, environment);
      const faults = (await parseDefinitions(input.document, createStepTypes(builtinStepTypes).inspect)).faults.map(input.locate);
      const lines = [...settingFaults(input), ...faults.map(printable)];
      if (lines.length > 0) throw new ExitError(lines.join('\n'), FAILED);
      const { apps, workflows, sinks } = input.document;
      printLine(io, `${input.path} is valid: ${count(apps, 'app')}, ${count(workflows, 'workflow')}, ${count(sinks, 'sink')}`);
    });
}

function settingFaults(input: DefinitionFiles): string[] {
  try {
    loadConfigFrom({ flags: {}, environment: {}, file: input.settings }, input);
    return [];
  } catch (error) {
    return (error as Error).message.split('\n');
  }
}

function count({ length }: unknown[], noun: string): string {
  return `${length} ${noun}${length === 1 ? '' : 's'}`;
}
