// The common part of `diff` and `apply`: reads definition files, sends them, and shows the resulting changes.

import type { Command } from 'commander';
import type { Client } from '../client/client.ts';
import { RefusedError } from '../client/client-error.ts';
import type { DefinitionChange } from '../client/wire/wire-types.ts';
import type { DefinitionFiles } from '../definitions/files/definition-files.ts';
import { addServerOptions, connect, type ServerOptions } from './connect.ts';
import type { CliContext } from './context.ts';
import { readDefinitionInput } from './definition-input.ts';
import { ExitError, FAILED } from './exit-error.ts';
import { addOutputOption, type OutputOptions, printHint, printJson, printLine } from './output/output.ts';
import { printable } from './output/printable.ts';

const SIGNS: Readonly<Record<DefinitionChange['action'], string>> = { create: '+', update: '~', delete: '-' };

/** `conclude` returns the last line, for people, for a number of changes. */
export function defineChanges(command: Command, context: CliContext, verb: 'diff' | 'apply', conclude: (count: number) => string): void {
  const { environment, io } = context;
  addOutputOption(
    addServerOptions(
      command.argument('[path]', 'definition file, or a folder of definition files (default: SLUICE_CONFIG, else "config")'),
    ),
  ).action(async (argument: string | undefined, options: ServerOptions & OutputOptions) => {
    const input = await readDefinitionInput(argument, environment);
    const changes = await send(await connect(options, context), verb, input);
    if (options.output === 'json') return printJson(io, { changes });
    for (const { action, kind, name } of changes) printLine(io, `${SIGNS[action]} ${kind} ${name}`);
    printHint(io, changes.length === 0 ? 'nothing to change' : conclude(changes.length));
  });
}

async function send({ definitions }: Client, verb: 'diff' | 'apply', input: DefinitionFiles): Promise<DefinitionChange[]> {
  try {
    return await definitions[verb](input.document);
  } catch (error) {
    const faults = error instanceof RefusedError ? error.details['faults'] : undefined;
    if (!Array.isArray(faults)) throw error;
    throw new ExitError(faults.map((fault) => printable(input.locate(fault))).join('\n'), FAILED);
  }
}
