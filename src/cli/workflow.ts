// `sluice workflow`: checks a workflow definition with the step types of a server.

import type { Command } from 'commander';
import { RefusedError } from '../client/client-error.ts';
import { readDefinitionFiles } from '../definitions/definition-files.ts';
import { addServerOptions, connect, type ServerOptions } from './connect.ts';
import { ExitError, FAILED } from './exit-error.ts';
import { printLine } from './output.ts';
import { printable } from './printable.ts';
import type { CliContext } from './program.ts';

export function define(command: Command, context: CliContext): void {
  defineValidate(command, context);
}

function defineValidate(command: Command, context: CliContext): void {
  const validate = command
    .command('validate')
    .description('check a definition as saving it would')
    .argument('<file>', 'YAML or JSON file with one definition: version, inputs, steps, outputs')
    .option('--app <app_id>', 'look up the workflows that it uses in this app');
  addServerOptions(validate).action(async (file: string, options: ServerOptions & { app?: string }) => {
    const definition = await readWorkflowFile(file, context);
    const client = await connect(options, context);
    await client.workflows.validate(definition, options.app).catch((error: unknown) => {
      throw describeFaults(file, error);
    });
    printLine(context.io, `${file} is valid`);
  });
}

async function readWorkflowFile(file: string, { environment }: CliContext): Promise<unknown> {
  return await readDefinitionFiles(file, environment).catch((error: unknown) => {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new ExitError(code === undefined ? message.trim() : `${file} cannot be read (${code})`, FAILED);
  });
}

/** One line a fault, with the file and the place in it. */
function describeFaults(file: string, error: unknown): unknown {
  const faults = error instanceof RefusedError ? error.details['faults'] : undefined;
  if (!Array.isArray(faults)) return error;
  const lines = (faults as { path: string; message: string }[]).map(({ path, message }) =>
    printable([file, path, message].filter((part) => part !== '').join(': ')),
  );
  return new ExitError(lines.join('\n'), FAILED);
}
