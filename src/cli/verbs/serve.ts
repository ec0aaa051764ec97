// `sluice serve`: starts the server, prints its greeting, and shuts it down gracefully on a signal.

import { join } from 'node:path';
import type { Command } from 'commander';
import { type AppOptions, startApp } from '../../app.ts';
import type { SettingValues } from '../../config/config.ts';
import { createLogger } from '../../logger.ts';
import { VERSION } from '../../version.ts';
import type { CliContext } from '../context.ts';
import { ExitError } from '../exit-error.ts';
import { greeting } from '../output/greeting.ts';
import { addSettingFlags, settingsOf } from '../setting-flags.ts';
import { loadConfigFrom, readSettingSources } from '../setting-sources.ts';

export function define(command: Command, context: CliContext): void {
  addSettingFlags(command)
    .option('--accept-loss', 'start although the witness says that commits are missing')
    .option('--demo', 'serve the demo of this clone as well, unless definition files are named; "npm start" does')
    .action(async ({ acceptLoss, demo, ...flags }: Record<string, unknown>) => {
      const code = await serve(settingsOf(flags), { acceptLoss: acceptLoss === true, demoPath: demo === true ? DEMO : null }, context);
      if (code !== 0) throw new ExitError('', code);
    });
}

const DEMO = join(import.meta.dirname, '../../../config/demo');

/** npm forwards a signal that the terminal also sends to the server: two within this time count as one. */
const SAME_SIGNAL_MS = 1000;

/** Resolves to the exit code once the server has stopped: 0 after a signal, 1 after a fatal error. */
async function serve(
  flags: SettingValues,
  options: Pick<AppOptions, 'acceptLoss' | 'demoPath'>,
  { environment, io }: CliContext,
): Promise<number> {
  const sources = await readSettingSources(flags, environment);
  const config = loadConfigFrom(sources, sources.files);
  const { logger, close: closeLog } = createLogger(config.logLevel);

  let stop: (code: number) => void = () => undefined;
  const stopped = new Promise<number>((resolve) => {
    stop = resolve;
  });
  let hasFailed = false;
  const onFatal = (error: Error): void => {
    hasFailed = true;
    io.stderr.write(`sluice: ${error.message}\n`);
    stop(1);
  };
  let stopRequestedAt: number | null = null;
  // Signals are handled before the start, so that none is lost. A second one ends the process at once; runs resume at the
  // next start.
  const onSignal = (): void => {
    stopRequestedAt ??= performance.now();
    if (performance.now() - stopRequestedAt > SAME_SIGNAL_MS) process.exit(1);
    stop(0);
  };
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);

  try {
    const app = await startApp({ config, environment, logger, version: VERSION, onFatal, ...options });
    process.on('SIGHUP', () => void app.reloadDefinitions());
    io.stdout.write(greeting(app));
    const code = await stopped;
    // Also ends a close that hangs.
    const overdue = setTimeout(() => process.exit(1), config.drainSeconds * 1000 + 5000);
    await app.close();
    clearTimeout(overdue);
    process.removeAllListeners('SIGHUP');
    return code;
  } catch (error) {
    // A fatal error during start was reported already.
    if (hasFailed) return 1;
    throw error;
  } finally {
    closeLog();
  }
}
