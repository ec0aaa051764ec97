// `sluice status`: what the server has to do now, and how much it stores.

import type { Command } from 'commander';
import type { ServerState } from '../../../client/stats-calls.ts';
import { addServerOptions, connect, type ServerOptions } from '../../connect.ts';
import type { CliContext } from '../../context.ts';
import type { Io } from '../../io.ts';
import { addOutputOption, type OutputOptions, printJson, printLine } from '../../output/output.ts';
import { timeOf } from '../../output/run-view.ts';

export function define(command: Command, context: CliContext): void {
  addOutputOption(addServerOptions(command)).action(async (options: ServerOptions & OutputOptions) => {
    const state = await (await connect(options, context)).stats.now();
    if (options.output === 'json') printJson(context.io, state);
    else printState(context.io, state);
  });
}

function printState(io: Io, state: ServerState): void {
  const { runs, deliveries, oldest_queued_at: oldest, open_circuits: circuits } = state;
  const facts: [string, string][] = [
    ['version', state.version],
    ['uptime', `${state.uptime_seconds} s`],
    ['runs', countsOf(runs) + (oldest === null ? '' : `, the oldest queued since ${timeOf(oldest)}`)],
    ['deliveries', countsOf(deliveries)],
    ['circuits', circuits.length === 0 ? 'none open' : `open: ${circuits.join(', ')}`],
    ['streams', String(state.streams)],
    ['database', `${sizeOf(state.database_bytes)}, and ${sizeOf(state.wal_bytes)} in the WAL`],
    ['files', sizeOf(state.blob_bytes)],
    ['disk', `${sizeOf(state.disk_free_bytes)} free`],
  ];
  for (const [name, value] of facts) printLine(io, `${name.padEnd(12)}${value}`);
}

function countsOf(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([status, count]) => `${count} ${status}`)
    .join(', ');
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

function sizeOf(bytes: number | null): string {
  if (bytes === null) return 'unknown';
  const unit = Math.min(UNITS.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** unit).toFixed(unit === 0 ? 0 : 1)} ${UNITS[unit]}`;
}
