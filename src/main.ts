// Process entry: hands the command line to the CLI.

import { runCli } from './cli/program.ts';
import { readEnvironment } from './config.ts';

process.exitCode = await runCli(process.argv, readEnvironment());
