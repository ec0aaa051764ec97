// Process entry: hands the command line to the CLI.

import { runCli } from './cli/run-cli.ts';
import { readEnvironment } from './config/config.ts';

process.exitCode = await runCli(process.argv, readEnvironment());
