// `sluice client`: blocks clients at all sinks for a time, unblocks them, and lists the blocked ones.

import type { Command } from 'commander';
import { addServerOptions, connect, type ServerOptions } from '../../connect.ts';
import type { CliContext } from '../../context.ts';
import { ExitError, WRONG_USAGE } from '../../exit-error.ts';
import { addOutputOption, type OutputOptions, printHint, printJson, printTable } from '../../output/output.ts';
import { timeOf } from '../../output/run-view.ts';

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

export function define(command: Command, context: CliContext): void {
  const { io } = context;
  const list = command.command('list').description('list blocked clients');
  addOutputOption(addServerOptions(list)).action(async (options: ServerOptions & OutputOptions) => {
    const clients = await (await connect(options, context)).blockedClients.list();
    if (options.output === 'json') return printJson(io, { clients });
    if (clients.length === 0) return printHint(io, 'no blocked clients');
    const rows = clients.map(({ address, blocked_at: blockedAt, ends_at: endsAt }) => [address, timeOf(blockedAt), timeOf(endsAt)]);
    printTable(io, ['CLIENT', 'BLOCKED', 'ENDS'], rows);
  });

  const block = command
    .command('block')
    .description('refuse all triggers of a client for a time')
    .argument('<address>', 'address or CIDR, such as 203.0.113.9 or 203.0.113.0/24')
    .option('--for <duration>', 'how long, such as 30m, 1h or 7d', '1h');
  addServerOptions(block).action(async (address: string, options: ServerOptions & { for: string }) => {
    const seconds = readSeconds(options.for);
    const blocked = await (await connect(options, context)).blockedClients.block(address, seconds);
    printHint(io, `${blocked.address} is blocked until ${timeOf(blocked.ends_at)}`);
  });

  const unblock = command.command('unblock').description('let a blocked client trigger again').argument('<address>');
  addServerOptions(unblock).action(async (address: string, options: ServerOptions) => {
    const unblocked = await (await connect(options, context)).blockedClients.unblock(address);
    printHint(io, `${unblocked.address} is no longer blocked`);
  });
}

function readSeconds(text: string): number {
  const [, count, unit] = /^([1-9]\d{0,7})([smhd])$/.exec(text) ?? [];
  if (count === undefined || unit === undefined)
    throw new ExitError(`--for: "${text}" is not a duration, such as 30m, 1h or 7d`, WRONG_USAGE);
  return Number(count) * (SECONDS[unit] as number);
}
