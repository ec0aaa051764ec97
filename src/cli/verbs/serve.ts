// `sluice serve`: starts the server, prints its greeting, and shuts it down gracefully on a signal.

import { join } from 'node:path';
import type { Command } from 'commander';
import { type AppOptions, startApp } from '../../app.ts';
import type { SettingValues } from '../../config/config.ts';
import { createLogger } from '../../logger.ts';
import { PROGRAM_FOLDER } from '../../program-files.ts';
import { VERSION } from '../../version.ts';
import type { CliContext } from '../context.ts';
import { ExitError } from '../exit-error.ts';
import { greeting } from '../output/greeting.ts';
import { addSettingFlags, settingsOf } from '../setting-flags.ts';
import { loadConfigFrom, readSettingSources } from '../setting-sources.ts';

export function define(command: Command, context: CliContext): void {
  addSettingFlags(command)
    .option('--accept-loss', 'start even if the witness reports missing commits')
    .option('--demo', 'also serve the demo of this clone, unless a setting names definition files; "npm start" does so')
    .action(async ({ acceptLoss, demo, ...flags }: Record<string, unknown>) => {
      const code = await serve(settingsOf(flags), { acceptLoss: acceptLoss === true, demoPath: demo === true ? DEMO : null }, context);
      if (code !== 0) throw new ExitError('', code);
    });
}

const DEMO = join(PROGRAM_FOLDER, 'config/demo');

/** Resolves to the exit code once the server has stopped: 0 after a signal, 1 after a fatal error. */
async function serve(
  flags: SettingValues,
  options: Pick<AppOptions, 'acceptLoss' | 'demoPath'>,
  { environment, io }: CliContext,
): Promise<number> {
  const sources = await readSettingSources(flags, environment);
  const config = loadConfigFrom(sources, sources.files);
  const { logger, close: closeLog } = createLogger(config.logLevel);
  const stop = new StopRequest(io.stderr);
  // Signals are handled before the start, so that none is lost.
  process.on('SIGTERM', () => stop.onSignal()).on('SIGINT', () => stop.onSignal());
  try {
    const onFatal = (error: Error): void => stop.onFatal(error);
    const app = await startApp({ config, environment, logger, version: VERSION, onFatal, ...options });
    process.on('SIGHUP', () => void app.reloadDefinitions());
    io.stdout.write(greeting(app));
    const code = await stop.requested;
    // Also ends a close that hangs.
    const overdue = setTimeout(() => process.exit(1), config.drainSeconds * 1000 + 5000);
    await app.close();
    clearTimeout(overdue);
    process.removeAllListeners('SIGHUP');
    return code;
  } catch (error) {
    // A fatal error during start was reported already.
    if (stop.hasFailed) return 1;
    throw error;
  } finally {
    closeLog();
  }
}

/** npm forwards a signal that the terminal also sends to the server: two within this time count as one. */
const SAME_SIGNAL_MS = 1000;

/** The request to stop: a signal or a fatal error. */
class StopRequest {
  readonly #stderr: CliContext['io']['stderr'];
  #signalledAt: number | null = null;
  #hasFailed = false;
  #resolve: (code: number) => void = () => undefined;
  /** Resolves to the exit code. */
  readonly requested = new Promise<number>((resolve) => {
    this.#resolve = resolve;
  });

  constructor(stderr: CliContext['io']['stderr']) {
    this.#stderr = stderr;
  }

  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** A second signal ends the process at once; runs resume at the next start. */
  onSignal(): void {
    this.#signalledAt ??= performance.now();
    if (performance.now() - this.#signalledAt > SAME_SIGNAL_MS) process.exit(1);
    this.#resolve(0);
  }

  onFatal(error: Error): void {
    this.#hasFailed = true;
    this.#stderr.write(`sluice: ${error.message}\n`);
    this.#resolve(1);
  }
}
