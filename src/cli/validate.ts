// `sluice validate`: checks definition files as the server would, without one, and tells every fault with its file.

import type { Command } from 'commander';
import { loadConfig } from '../config.ts';
import { parseDefinitions } from '../definitions/definition-document.ts';
import { builtinStepTypes } from '../steps/builtin.ts';
import { createStepTypes } from '../steps/index.ts';
import { type DefinitionInput, readDefinitionInput } from './definition-input.ts';
import { ExitError, FAILED } from './exit-error.ts';
import { printLine } from './output.ts';
import type { CliContext } from './program.ts';

export function define(command: Command, { environment, io }: CliContext): void {
  command
    .argument('[path]', 'definition file, or folder of them (SLUICE_CONFIG, else config)')
    .action(async (argument: string | undefined) => {
      const input = await readDefinitionInput(argument, environment);
      const faults = [
        ...input.settings.flatMap(settingFaults),
        ...(await parseDefinitions(input.document, createStepTypes(builtinStepTypes).inspect)).faults.map(input.locate),
      ];
      if (faults.length > 0) throw new ExitError(faults.join('\n'), FAILED);
      const { apps, workflows, sinks } = input.document;
      printLine(io, `${input.path} is valid: ${count(apps, 'app')}, ${count(workflows, 'workflow')}, ${count(sinks, 'sink')}`);
    });
}

function settingFaults({ file, values }: DefinitionInput['settings'][number]): string[] {
  try {
    loadConfig({ flags: {}, environment: {}, file: values });
    return [];
  } catch (error) {
    return (error as Error).message.split('\n').map((line) => `${file}: ${line}`);
  }
}

function count({ length }: unknown[], noun: string): string {
  return `${length} ${noun}${length === 1 ? '' : 's'}`;
}
