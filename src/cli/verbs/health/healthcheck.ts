// `sluice healthcheck`: exit code 0 when the server is alive, or ready for runs; for Docker's HEALTHCHECK.

import type { Command } from 'commander';
import { createClient } from '../../../client/client.ts';
import type { CliContext } from '../../context.ts';
import { ExitError, FAILED } from '../../exit-error.ts';
import { findLocalServer } from '../../local-server.ts';
import { printLine } from '../../output/output.ts';

/** A tenth of Docker's default limit of 30 s: a slower server is unhealthy. */
const TIMEOUT_MS = 3000;

interface HealthcheckOptions {
  url?: string;
  ready?: true;
}

export function define(command: Command, { environment, io }: CliContext): void {
  command
    .option('--url <url>', 'server to check (default: SLUICE_URL, else the local server)')
    .option('--ready', 'also check that it accepts new runs')
    .action(async ({ url, ready }: HealthcheckOptions) => {
      const address = url ?? environment['SLUICE_URL'] ?? (await findLocalServer(environment)).url;
      const client = createClient({ url: address, timeoutMs: TIMEOUT_MS });
      const { status, checks = {} } = await (ready === true ? client.readyz() : client.healthz());
      const failing = Object.keys(checks).filter((name) => checks[name] !== true);
      if (failing.length > 0) throw new ExitError(`${address} is not ready: ${failing.join(', ')}`, FAILED);
      printLine(io, status);
    });
}
