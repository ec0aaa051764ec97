// `sluice export`: prints all definitions of the server as a file for `apply`.

import type { Command } from 'commander';
import { type ScalarTag, stringify } from 'yaml';
import { ExactNumber } from '../../core/json/json.ts';
import { addServerOptions, connect, type ServerOptions } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { addOutputOption, type OutputOptions, printJson } from '../output/output.ts';

/** Writes a number with its original text. */
const exactNumber: ScalarTag = {
  tag: 'tag:yaml.org,2002:float',
  default: true,
  identify: (value) => value instanceof ExactNumber,
  resolve: (text) => text,
  stringify: ({ value }) => String(value),
};

export function define(command: Command, context: CliContext): void {
  addOutputOption(addServerOptions(command), ['yaml', 'json']).action(async (options: ServerOptions & OutputOptions) => {
    const client = await connect(options, context);
    const document = await client.definitions.export();
    if (options.output === 'json') return printJson(context.io, document);
    context.io.stdout.write(printableYaml(stringify(document, { customTags: [exactNumber], lineWidth: 0 })));
  });
}

/** The YAML library quotes text with control characters but does not escape them; the escapes are equivalent. */
function printableYaml(text: string): string {
  return text.replaceAll(/[\x7f-\x9f]/g, (character) => `\\x${character.charCodeAt(0).toString(16)}`);
}
