// `sluice export`: prints all definitions of the server as a file for `apply`.

import type { Command } from 'commander';
import { addServerOptions, connect, type ServerOptions } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { addOutputOption, type OutputOptions, printJson } from '../output/output.ts';
import { printYaml } from '../output/yaml.ts';

export function define(command: Command, context: CliContext): void {
  addOutputOption(addServerOptions(command), ['yaml', 'json']).action(async (options: ServerOptions & OutputOptions) => {
    const client = await connect(options, context);
    const document = await client.definitions.export();
    if (options.output === 'json') printJson(context.io, document);
    else printYaml(context.io, document);
  });
}
