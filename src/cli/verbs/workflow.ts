// `sluice workflow`: validates a definition with a server's step types, tries one without a server, and shows and restores versions.

import type { Command } from 'commander';
import { RefusedError } from '../../client/client-error.ts';
import type { Fault } from '../../core/fault.ts';
import { addServerOptions, connect, type ServerOptions } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { ExitError, FAILED } from '../exit-error.ts';
import { printLine } from '../output/output.ts';
import { readWorkflowFile, type WorkflowFile } from '../workflow-file.ts';
import { defineVersions } from './versions/workflow-versions.ts';
import { defineTest } from './workflow-test.ts';

export function define(command: Command, context: CliContext): void {
  defineValidate(command, context);
  defineTest(command, context);
  defineVersions(command, context);
}

function defineValidate(command: Command, context: CliContext): void {
  const validate = command
    .command('validate')
    .description('check a definition by the rules for saving it')
    .argument('<file>', 'YAML or JSON file with one definition: version, inputs, steps, outputs')
    .option('--app <app_id>', 'app of the workflows that the definition uses');
  addServerOptions(validate).action(async (file: string, options: ServerOptions & { app?: string }) => {
    const workflow = await readWorkflowFile(file, context);
    const client = await connect(options, context);
    await client.workflows.validate(workflow.definition, options.app).catch((error: unknown) => {
      throw describeFaults(workflow, error);
    });
    printLine(context.io, `${file} is valid`);
  });
}

/** One line per fault, with file, line and path. */
function describeFaults({ faultLines }: WorkflowFile, error: unknown): unknown {
  const faults = error instanceof RefusedError ? error.details['faults'] : undefined;
  if (!Array.isArray(faults)) return error;
  return new ExitError(faultLines(faults as Fault[]), FAILED);
}
