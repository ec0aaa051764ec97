// The command line: one verb a file, loaded only when it is asked for.

import { Command, CommanderError, Option } from 'commander';
import { type Environment, flagOf, settings, variableOf } from '../config.ts';
import { VERSION } from '../version.ts';

/** Runs one command; returns the exit code: 0 done, 1 failed, 2 wrong usage. */
export async function runCli(argv: string[], environment: Environment): Promise<number> {
  let exitCode = 0;
  const program = new Command('sluice')
    .description('Self-hosted HTTP sink trigger server: a request starts a durable workflow run and streams it back.')
    .version(VERSION)
    .exitOverride()
    .showHelpAfterError('(run with --help for what is possible)');

  const serve = program.command('serve').description('start the server');
  for (const setting of settings) serve.addOption(new Option(`${flagOf(setting)} <value>`, `${setting.about} (${variableOf(setting)})`));
  serve
    .option('--accept-loss', 'start although the witness says that commits are missing')
    .action(async ({ acceptLoss = false, ...flags }: Record<string, unknown>) => {
      const { serve: run } = await import('./serve.ts');
      exitCode = await run({ flags: toKeys(flags), acceptLoss: acceptLoss === true, environment });
    });

  try {
    await program.parseAsync(argv);
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    process.stderr.write(`sluice: ${(error as Error).message}\n`);
    return 1;
  }
}

/** Commander's `dataDir` as the setting key `data_dir`. */
function toKeys(flags: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(flags).map(([name, value]) => [name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value]),
  );
}
