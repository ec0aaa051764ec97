// Process entry: hands the command line to the CLI.

import { runCli } from './cli/run-cli.ts';
import { readEnvironment } from './config/config.ts';

/** Resolves when the command has ended. */
export const ended = runCli(process.argv, readEnvironment()).then((code) => {
  process.exitCode = code;
});
